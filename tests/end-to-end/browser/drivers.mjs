// SPDX-License-Identifier: MIT
// The ways in which a person acts on a page: by mouse, by keyboard alone, by touch.
import assert from 'node:assert/strict';

const TABS = 400; // until something is reached

async function isFocused(locator) {
  return locator.evaluate((one) => one === document.activeElement);
}

// Goes there as a person does who has no mouse.
export async function tabTo(page, locator) {
  await locator.waitFor();
  const before = await locator.evaluate((one) => Boolean(document.activeElement
    && document.activeElement.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING));
  for (let i = 0; i < TABS; i++) {
    if (await isFocused(locator))
      return;
    await page.keyboard.press(before ? 'Shift+Tab' : 'Tab');
  }
  assert.fail(`no Tab leads to ${locator}`);
}

export const drivers = {
  mouse: { press: (page, locator) => locator.click() },
  keyboard: {
    press: async (page, locator) => {
      // Of tabs one is in the way of Tab, and arrows lead to the others.
      if (await locator.getAttribute('role') === 'tab') {
        await tabTo(page, page.locator('#tabs [tabindex="0"]'));
        for (let i = 0; i < 20 && !await isFocused(locator); i++)
          await page.keyboard.press('ArrowRight');
      } else {
        await tabTo(page, locator);
      }
      assert.ok(await isFocused(locator));
      assert.notEqual(await locator.evaluate((one) => getComputedStyle(one).outlineStyle), 'none', 'the focus is seen');
      await page.keyboard.press(await locator.evaluate((one) => (one.type === 'checkbox' ? 'Space' : 'Enter')));
    },
  },
  touch: { press: (page, locator) => locator.tap() },
};
