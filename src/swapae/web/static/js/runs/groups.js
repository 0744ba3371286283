// Which chart shows which columns of a training's log, and how to read it.

const ENDS = [" low", " high"]; // of the interval in which a measured figure lies
const CLOCK = new Set(["images_seen", "seconds"]);
const OWN = /^(patch_)?[DG]_|^grad_|^(texture|structure|augment)_/; // what training itself writes

const chart = (group, title, note, names, more = {}) => ({ group, title, note, names, isLog: false, ...more });

export const GROUPS = ["Reconstruction", "Measured", "Textures and structures", "Discriminators", "Adversaries", "R1 and gradients", "Speed", "Other"];

const CHARTS = [
  chart("Reconstruction", "Reconstruction", "Mean absolute error of pixels: weighted, in training; and by averaged weights on fixed images. Should fall.", ["G_l1", "G_l1_gradient", "reconstruction_l1"]),
  chart("Textures and structures", "Textures", "How far a hybrid moves when only its texture changes, and how far apart the textures are. At 0, hybrids ignore the texture.", ["texture_sensitivity", "texture_spread"]),
  chart("Textures and structures", "Structure lost in hybrids", "0: kept exactly; 1: as different as another image’s.", ["structure_drift"]),
  chart("Textures and structures", "Consistency", "How far codes of a hybrid are from those it was made of, and patches from the texture’s. Weighted; should fall.", ["G_structure", "G_texture", "G_patch_match"]),
  chart("Discriminators", "How often right", "0.5 is guessing. Near 1 for long, the generator learns little from them.", ["D_accuracy", "patch_D_accuracy"]),
  chart("Discriminators", "Image discriminator: mean logits", "Above 0 means “real”. The closer together, the better the made images.", ["D_logit_real", "D_logit_reconstruction", "D_logit_hybrid"]),
  chart("Discriminators", "Patch discriminator: mean logits", "Above 0 means “of the same image”.", ["patch_D_logit_real", "patch_D_logit_hybrid"]),
  chart("Discriminators", "Augmentation", "How strongly images are changed before they are judged, and how sure the discriminator is.", ["augment_strength", "D_sign"]),
  chart("Adversaries", "Encoder and generator", "Adversarial losses, weighted.", ["G_reconstruction", "G_hybrid", "patch_G_hybrid"]),
  chart("Adversaries", "Image discriminator", "Losses, weighted.", ["D_real", "D_reconstruction", "D_hybrid"]),
  chart("Adversaries", "Patch discriminator", "Losses, weighted.", ["patch_D_real", "patch_D_hybrid"]),
  chart("R1 and gradients", "Gradient penalties (R1)", "Weighted.", ["D_r1", "patch_D_r1"], { isLog: true }),
  chart("R1 and gradients", "Gradient norms", "Of the last gradient of each step.", ["grad_encoder", "grad_generator", "grad_discriminator", "grad_patch_discriminator"], { isLog: true }),
  chart("R1 and gradients", "Gradient norms of R1 steps", "", ["grad_discriminator_r1", "grad_patch_discriminator_r1"], { isLog: true }),
  chart("Speed", "Images a second", "Higher is faster.", ["images_per_second"]),
];

/** Choose the charts for the columns there are: those above, one for each measured figure, one for each unknown column. */
export function chartsFor(names) {
  const present = new Set(names.filter((name) => !CLOCK.has(name)));
  const known = new Set(CHARTS.flatMap(({ names: some }) => some));
  const rest = [...present].filter((name) => !known.has(name));
  const bases = [...new Set(rest.map(withoutEnd))];
  const others = bases.map((name) => single(name, present));
  const charts = [...CHARTS, ...others].map((one) => ({ ...one, names: one.names.filter((name) => present.has(name)) }));
  const filled = charts.filter((one) => one.names.some((name) => withoutEnd(name) === name));
  return GROUPS.flatMap((group) => filled.filter((one) => one.group === group));
}

/** A chart of one column, and of the ends of its interval where it has one. */
function single(name, present) {
  const ends = ENDS.map((end) => name + end).filter((end) => present.has(end));
  if (OWN.test(name)) return chart(name.startsWith("G_l1") ? "Reconstruction" : "Other", label(name), "", [name, ...ends]);
  const note = ends.length ? "Measured, with the interval it lies in." : "Measured at checkpoints.";
  return chart("Measured", name, note, [name, ...ends]);
}

function withoutEnd(name) {
  return ENDS.reduce((base, end) => (base.endsWith(end) ? base.slice(0, -end.length) : base), name);
}

const HEAD = /^(patch_[DG]|[DG]|grad)_/;
const WORDS = {
  D: "image discriminator", G: "generator", patch_D: "patch discriminator", patch_G: "patches,", grad: "gradient of",
  l1: "L1", r1: "R1", logit: "logit", lpips: "LPIPS", psnr: "PSNR",
};

const NAMES = { G_l1: "L1, in training", G_l1_gradient: "L1 of edges, in training", reconstruction_l1: "L1, averaged weights" };

/** Write the names of columns that stand together for people: of `D_real` and `D_hybrid`, `real` and `hybrid`. */
export function labels(names) {
  const heads = new Set(names.map((name) => HEAD.exec(name)?.[1]));
  const isPlain = names.length > 1 && heads.size === 1;
  return names.map((name) => NAMES[name] ?? label(isPlain ? name.replace(HEAD, "") : name));
}

/** Write the name of a column for people: `patch_D_real` is `patch discriminator real`. */
export function label(name) {
  if (NAMES[name]) return NAMES[name];
  const [, head = ""] = HEAD.exec(name) ?? [];
  const words = name.replace(HEAD, "").split("_").map((word) => WORDS[word] ?? word);
  return [WORDS[head] ?? "", ...words].filter(Boolean).join(" ");
}
