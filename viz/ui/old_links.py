"""Link parameters that had another name in earlier versions."""

# Names in the address that were other names once: (page, old) → new. The links of old lecture notes stay good.
RENAMED = {("inside", "view"): "aspect", ("positions", "view"): "show"}
