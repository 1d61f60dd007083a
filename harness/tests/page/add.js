// Adds what was read to the page, so that it is dumped with it.
const result = document.createElement("pre");
result.id = "read";
// The page as it is dumped escapes these.
const escaped = c => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
result.textContent = JSON.stringify(globalThis.read).replace(/[<>&\u00a0]/g, escaped);
document.body.append(result);
