/** All sentences of Directions, for translation. */

const KINDS = { texture: "Texture", structure: "Structure", layout: "Layout" };

export const text = {
  title: "Directions",
  list: "Directions",
  kinds: { all: "All", ...KINDS, own: "Own" },
  show: "Show",
  /** Principal ones are called texture1 and the like. */
  name: (name) => name.replace(/^(texture|structure|layout)(\d+)$/, (_, kind, number) => `${KINDS[kind]} ${number}`),
  sigma: " σ",
  strength: (name) => text.name(name),
  share: (percent) => `${percent} % of all difference`,
  found: (images) => `found in ${images} ${images === 1 ? "photo" : "photos"}`,
  turn: (degrees) => `1 σ turns by ${degrees}°`,
  apart: (sigmas) => `groups ${sigmas} σ apart`,
  cell: (strength) => `${signed(strength)} σ`,
  strip: (name) => `${text.name(name)} at −2 to +2 σ`,
  setTo: (name, strength) => `${text.name(name)} to ${signed(strength)} σ`,
  where: "Where",
  everywhere: "everywhere",
  layer: (number, title) => `mask of layer ${number} (${title})`,
  otherMask: "mask of a deleted layer",
  feather: "Feather",
  pixels: " px",
  reset: (name) => `Reset ${text.name(name)}`,
  resetAll: "Reset all",
  remove: (name) => `Delete ${name}`,
  removeBody: (name) => `“${name}” is gone then, unless you have saved it as a file. Pictures saved with it keep it.`,
  removeYes: "Delete",
  file: (name) => `Save ${name} as a file`,
  fileName: (name) => `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.safetensors`,
  load: "Load from a file…",
  loaded: (names) => `Loaded ${names.map(text.name).join(", ")}.`,
  photo: "Photo",
  none: "This model came without directions.",
  noneHint: "Make your own from two groups of photos, or load a file that `swapae directions fit` has written.",
  again: "Try again",
  loading: "Asking for the directions…",
  mostMoves: (most) => `${most} directions at most can be moved at once; reset one first.`,
  masksHint: "Directions can be kept to a part of the picture: paint a layer on the Paint screen, then choose its mask here.",
  make: {
    title: "Make your own",
    intro: "A direction is what one group of photos has and the other has not. Ten photos in each do; they should be alike in everything else.",
    groups: { toward: "Photos that have it", away: "Photos that have it not" },
    count: (count) => (count >= 10 ? `${count} photos` : `${count} of 10 recommended`),
    name: "Name",
    namePlaceholder: "winter",
    of: "What differs",
    kinds: { texture: "Look (texture)", structure: "Form (structure)" },
    run: "Make the direction",
    running: "Making it…",
    missing: { toward: "Choose at least one photo that has it.", away: "Choose at least one photo that has it not.", name: "Give it a name.", taken: "There is a direction of this name already; choose another one." },
    done: (name) => `Made “${name}”.`,
  },
  verdict: (apart, least) => {
    const far = `The groups lie ${number(apart)} σ apart, of 2 at most`;
    if (least < 5) return `${far}; with so few photos that says little.`;
    if (apart >= 1.6) return `${far}: they are pure.`;
    return apart >= 1 ? `${far}: they overlap a little. Purer groups make a clearer direction.` : `${far}: they are hardly told apart. Choose purer groups.`;
  },
  labels: { moved: (name) => `${text.name(name)}`, where: (name) => `${text.name(name)}: where`, reset: (name) => `Reset ${text.name(name)}`, resetAll: "Reset all directions", photo: (title) => `${title} as photo` },
};

export function number(value) {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}

function signed(value) {
  return value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0";
}
