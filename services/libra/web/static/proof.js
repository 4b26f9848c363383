// Solves the puzzle in the page (ALTCHA, PBKDF2) and sends the form again with the solution.
(() => {
  const form = document.getElementById("proof-form");
  if (!form) return;
  const challenge = JSON.parse(form.dataset.challenge);
  const given = challenge.parameters;
  const BITS_PER_BYTE = 8;
  const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  const derive = async (counter) => {
    const nonce = fromHex(given.nonce);
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const hash = given.algorithm.split("/")[1];
    const method = { name: "PBKDF2", hash, salt: fromHex(given.salt), iterations: given.cost };
    return toHex(new Uint8Array(await crypto.subtle.deriveBits(method, key, given.keyLength * BITS_PER_BYTE)));
  };

  (async () => {
    for (let counter = 0; ; counter += 1) {
      const derivedKey = await derive(counter);
      if (!derivedKey.startsWith(given.keyPrefix)) continue;
      document.getElementById("proof").value = btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
      form.submit();
      return;
    }
  })().catch(() => {
    document.getElementById("proof-status").textContent = "The puzzle cannot be solved in this browser. Try again later.";
  });
})();
