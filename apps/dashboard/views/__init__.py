"""The pages: each view reads through a panel or a selector, or calls one service, and renders."""
