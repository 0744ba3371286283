/* Runs before the page is painted, so that a chosen theme does not flash. */
(function () {
  let theme = null;
  try {
    theme = localStorage.getItem("swapae.theme");
  } catch {
    theme = null;
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
