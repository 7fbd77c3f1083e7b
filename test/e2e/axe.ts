import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'

/** Widths and color schemes in which every view is checked. */
const modes = [1280, 390].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })))

// axe does not check `label-content-name-mismatch` by default, because the rule is experimental.
const options = { resultTypes: ['violations'], rules: { 'label-content-name-mismatch': { enabled: true } } }

// Links in text that differ from it only by colour. axe accepts them where most of the text consists of links.
const LINKS_BY_COLOR_ONLY = `[...document.querySelectorAll('main p a')]
  .filter((link) => link.textContent !== link.closest('p').textContent)
  .filter((link) => getComputedStyle(link).textDecorationLine !== 'underline')
  .map((link) => 'not underlined: ' + link.outerHTML)`

const TRANSITIONS_ENDED = `new Promise(requestAnimationFrame)
  .then(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))))`

/** The serious and critical accessibility violations of the page as it is now, in each mode. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = []
  await page.evaluate(axe.source)
  for (const { width, scheme } of modes) {
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.evaluate(TRANSITIONS_ENDED)
    const results: AxeResults = await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)
    const severe = results.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    found.push(...(await page.evaluate<string[]>(LINKS_BY_COLOR_ONLY)))
    found.push(
      ...severe.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${width} ${scheme} ${id}: ${node.html} ${node.failureSummary}`),
      ),
    )
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  return found
}

// The focus of a text area in a composer is visible at the frame of the composer.
const FOCUSED = `(() => {
  const { activeElement: element, body } = document
  if (!element || element === body) return null
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const frame = element.matches('.composer textarea') ? getComputedStyle(element.closest('.composer')).boxShadow : ''
  const isVisible = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || frame.includes('0px 0px 0px 1px')
  return { html: element.outerHTML.slice(0, 120), isVisible }
})()`

/** Presses Tab through the page. Returns the number of stops, and those whose focus is not visible. */
export async function tabThrough(page: Page): Promise<{ stops: number; invisible: string[] }> {
  const invisible: string[] = []
  await page.evaluate('document.activeElement.blur()')
  for (let stops = 0; ; stops++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<{ html: string; isVisible: boolean } | null>(FOCUSED)
    if (!focused || stops > 100) return { stops, invisible }
    if (!focused.isVisible) invisible.push(focused.html)
  }
}
