/* Not a module, so that it also runs where those do not: it says in a sentence why the page cannot open. */
(function () {
  const place = document.getElementById("opening");
  function say(sentence) {
    if (place.isConnected) place.firstElementChild.textContent = sentence;
  }
  if (location.protocol === "file:") {
    say("This page was opened as a file, where browsers run no modules. Serve its folder instead: python -m http.server, then open http://localhost:8000.");
    return;
  }
  const known = "noModule" in HTMLScriptElement.prototype && typeof WebAssembly === "object" && typeof DecompressionStream === "function" && typeof OffscreenCanvas === "function";
  if (!known) say("This browser is too old for this page: it needs WebAssembly, modules and canvases in workers (Chrome 94, Firefox 114, Safari 16.4, or newer).");
  addEventListener("error", (event) => {
    if (event.target instanceof HTMLScriptElement) say("A part of this page is missing on its server, or was sent as something else than a script.");
  }, true);
})();
