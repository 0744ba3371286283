// Photos out of what was dropped or chosen: files, and folders with all that is in them.

const PICTURES = /\.(jpe?g|png|webp|avif|tiff?|bmp|gif|ppm|heic|heif)$/i; // what counts as a photo in a folder

/** Read a drop: `{photos: [{file, path}], others}`, `others` counting files in folders that are no pictures. */
export async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]); // before the drop is over
  const found = [];
  for (const [entry, file] of entries) {
    if (entry?.isDirectory) await walk(entry, found);
    else if (file) found.push({ file, path: file.name, isChosen: true });
  }
  return sifted(found);
}

/** Read what a file chooser gave, of files or of a folder. */
export function chosen(files) {
  return sifted([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name, isChosen: !file.webkitRelativePath })));
}

/** Files that were chosen one by one are all tried, so that each gets its answer; of folders only pictures are. */
function sifted(found) {
  const photos = found.filter(({ path, isChosen }) => isChosen || (PICTURES.test(path) && !/(^|\/)\./.test(path)));
  return { photos, others: found.length - photos.length };
}

async function walk(folder, found) {
  const reader = folder.createReader();
  for (;;) {
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    entries.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    for (const entry of entries) {
      if (entry.isDirectory) await walk(entry, found);
      else found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: entry.fullPath.slice(1), isChosen: false });
    }
  }
}
