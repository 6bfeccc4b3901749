// The window's title, and before it how many rings nobody has seen.
let words = document.title;
let unseen = 0;

const show = () => { document.title = unseen ? `(${unseen}) ${words}` : words; };

export function entitle(text) {
  words = text;
  show();
}

export function countUnseen(count) {
  unseen = count;
  show();
}
