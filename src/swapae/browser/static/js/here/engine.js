/** The worker, as the page sees it: a question, a promise of its answer, and what it tells unasked. */

import { ApiError } from "../refusals.js";
import { words } from "./words.js";

/**
 * @param {{onProgress: (have: number, all: number) => void, onMoved: (backend: string) => void}} handlers
 * @returns {{ask: (what: string, given?: object) => Promise<any>}} refusals come as ApiError.
 */
export function createEngine({ onProgress, onMoved }) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let last = 0;
  let isGone = false;

  worker.addEventListener("message", ({ data }) => {
    if (data.progress) onProgress(...data.progress);
    else if (data.moved) onMoved(data.moved);
    else answered(data);
  });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    isGone = true;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });

  function answered({ id, value, refusal }) {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (refusal) reject(new ApiError(refusal, { code: "refused" }));
    else resolve(value);
  }

  return {
    ask(what, given = {}) {
      if (isGone) return Promise.reject(gone());
      last += 1;
      const id = last;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, what, given });
      });
    },
  };
}

const gone = () => new ApiError(words.gone, { code: "gone" });
