/** The worker: questions in, answers out, one at a time, so that the page itself never waits. */

import { Desk } from "./desk.js";
import { Refusal } from "./refusal.js";

const tell = (message) => postMessage(message);
const desk = new Desk(tell);
let line = Promise.resolve(); // of questions; their answers come in order

addEventListener("message", ({ data: { id, what, given } }) => {
  line = line.then(() => answer(id, what, given));
});

async function answer(id, what, given) {
  try {
    const { value, moved = [] } = await desk[what](given);
    postMessage({ id, value }, moved);
  } catch (error) {
    if (!(error instanceof Refusal)) console.warn(error);
    postMessage({ id, refusal: sentence(error) });
  }
}

function sentence(error) {
  if (error instanceof Refusal) return error.message;
  if (/memory|alloc|Array buffer/i.test(String(error?.message ?? error))) return "There is not enough memory for this picture: take a smaller photo.";
  return `It could not be computed (${error?.message ?? error}).`;
}
