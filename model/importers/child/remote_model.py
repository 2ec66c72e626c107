"""A maps-only model in its own child process, which returns its attention over a pipe."""

import math
from threading import Lock
from typing import Any

import numpy as np

from model.checkpoint import CheckpointError
from model.importers.child.parent import Limits, Process
from model.run import Array, InputTextError

Stack = tuple[str, Array, tuple[str, ...], tuple[str, ...]]  # its name; (L, H, T, S) float32; T words; S words
RUN = 120.0  # seconds for one text


class RemoteModel:
    """The model and its tokenizer, as the server knows them.

    Arguments:
        process: the child that has loaded the model.
        two: whether it is an encoder-decoder with a target.
        languages: the language tokens that its tokenizer knows.
        memory: maximum bytes of its process.
    """

    def __init__(self, process: Process, two: bool, languages: tuple[str, ...], memory: int) -> None:
        self.two = two
        self.languages = languages
        self._process = process
        self._limits = Limits(memory=memory, seconds=RUN, wall=2 * RUN)
        self._lock = Lock()

    @property
    def alive(self) -> bool:
        """Whether its process is running."""
        return self._process.alive

    def attention(self, text: str, target: str) -> list[Stack]:
        """The attention of one run, for each stack.

        Raises:
            InputTextError: the model or the lab cannot run the text.
            CheckpointError: the model was removed, or used too much memory or time and has ended.
        """
        with self._lock:
            if not self.alive:
                raise CheckpointError("This model was unloaded, or its process has ended. Load it again.")
            request = {"task": "attention", "text": text, "target": target}
            answer, numbers = self._process.ask(request, self._limits, lambda share: None)
        if "refused" in answer:
            kind = InputTextError if answer.get("kind") == "InputTextError" else CheckpointError
            raise kind(str(answer["refused"]))
        if "failed" in answer:
            raise CheckpointError(f"The model cannot be run on this text ({answer['failed']}).")
        return _stacks(answer["maps"], numbers)

    def close(self) -> None:
        """End the process. A caller that waits for its result gets an error."""
        self._process.close()


def _stacks(entries: list[dict[str, Any]], numbers: bytes) -> list[Stack]:
    stacks: list[Stack] = []
    offset = 0
    for entry in entries:
        shape = tuple(int(size) for size in entry["shape"])
        count = math.prod(shape)
        weights = np.frombuffer(numbers, np.float32, count, offset).reshape(shape)  # read-only, as bytes are
        stacks.append((str(entry["stack"]), weights, tuple(entry["query_tokens"]), tuple(entry["key_tokens"])))
        offset += 4 * count
    return stacks
