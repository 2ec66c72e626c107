// A text into the clipboard, also where a browser gives scripts none.

/**
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https, as in a classroom's own network, browsers keep the clipboard from pages; a selection is copied
    // still.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
