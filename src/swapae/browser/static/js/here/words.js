/** Where the studio's sentences speak of a server, the page has its own. It is imported before all others. */

import { text } from "../text.js";

Object.assign(text, {
  name: "swapae",
  open: "Open photos",
  dropHere: "Drop photos",
  saved: (name) => `Saved ${name}.`,
  failedStart: "The page could not be opened",
  emptyGallery: "This model comes without samples. Add photos of your own: drop them anywhere, paste, or use the button.",
});

export const words = {
  loading: (title) => `The model is being loaded: ${title}`,
  loaded: (have, all) => `${megabytes(have)} of ${megabytes(all)} MB`,
  starting: "Starting the model…",
  shrunk: (title, was, is) => `${title} was ${was.join(" × ")}; it is worked on as ${is.join(" × ")}, as large as a browser takes in good time.`,
  runs: {
    wasm: "Your photos stay on this machine: it computes by itself, by WebAssembly on one thread.",
    webgpu: "Your photos stay on this machine: it computes by itself, on its graphics processor.",
  },
  moved: "The graphics processor gave up; the page goes on by WebAssembly.",
  runsBy: { wasm: "WebAssembly, one thread", webgpu: "WebGPU" },
  gone: "The page's worker stopped, perhaps for want of memory. Reload the page; smaller photos need less.",
};

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
