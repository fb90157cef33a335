// Sets the colour scheme before the first paint; a file of its own because the content security policy forbids inline scripts.
(function () {
  var scheme = null;
  try {
    scheme = localStorage.getItem("tocsin.theme");
  } catch (error) {
    console.warn("tocsin: no local storage, the colour scheme follows the system", error);
  }
  if (scheme !== "light" && scheme !== "dark")
    scheme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
