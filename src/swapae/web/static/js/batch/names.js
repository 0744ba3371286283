// Names of results: those of the photos, made fit for any disk. They stay in the browser; the server never sees them.

const FORBIDDEN = /[\u0000-\u001f\u007f<>:"|?*\u202a-\u202e\u2066-\u2069]/g;
const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;
const LONGEST = 120; // characters of one part of a path

/**
 * Name the picture made of a photo: its path within what was dropped, ending in `.png`, and unlike those in `taken`.
 * `taken` is a Set of names in lower case, to which the new one is added: disks may not tell A from a.
 */
export function resultName(path, taken, ending = ".png") {
  const parts = path.split(/[/\\]+/).map(clean).filter(Boolean);
  const last = parts.pop() ?? "";
  const stem = [...parts.map(guarded), guarded(last.replace(/(.)\.[^.]*$/, "$1")) || "photo"].join("/");
  for (let count = 1; ; count++) {
    const name = (count === 1 ? stem : `${stem} (${count})`) + ending;
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}

/** Take out what a disk refuses, and what would lead out of the folder. */
function clean(part) {
  const whole = part.normalize("NFC").toWellFormed().replace(FORBIDDEN, "_");
  return trimmed([...whole].slice(0, LONGEST).join(""));
}

/** Windows keeps some names for devices. */
function guarded(part) {
  const name = trimmed(part);
  return RESERVED.test(name.split(".")[0]) ? `_${name}` : name;
}

/** Dots and spaces at the ends are lost on some disks, and `..` is another folder. */
function trimmed(part) {
  return part.replace(/^[\s.]+|[\s.]+$/g, "");
}

/** Write a number of bytes. */
export function bytesWritten(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${["B", "kB", "MB", "GB"][power]}`;
}
