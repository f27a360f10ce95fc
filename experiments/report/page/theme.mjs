// Runs before anything is drawn: a page of the wrong color would flash.
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("distillery-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Where nothing can be stored the theme is the system's.
}
