import { expect, test } from 'vitest'
import { drawLandscape, openView, unnamedControls, waitForImage } from './actions.ts'
import type { World } from './site.ts'

export function imageTests(world: World): void {
  test('an avatar and a header image appear on the profile and in posts, and can be removed', async () => {
    const { site, ada, bob } = world
    const file = { name: 'ridge.jpg', mimeType: 'image/jpeg', buffer: await drawLandscape(site.browser) }
    await openView(ada, 'Profile')
    await ada.getByRole('button', { name: 'Edit profile' }).click()
    for (const name of ['avatar', 'header image']) {
      await ada.getByLabel(`Change ${name}`).and(ada.locator('input')).setInputFiles(file)
      await ada.getByText(`Your ${name} was changed`).waitFor()
    }
    await waitForImage(ada.locator('.profile .avatar img'))
    await waitForImage(ada.locator('.profile .banner'))
    expect(await unnamedControls(ada)).toEqual([])
    await ada.getByRole('button', { name: 'Cancel' }).click()
    await waitForImage(ada.getByRole('article').first().locator('.avatar img'))

    const size = bob.viewportSize()!
    await bob.setViewportSize({ width: 390, height: 844 })
    await bob.goto(`${site.origin}/@ada`)
    await waitForImage(bob.locator('.profile .banner'))
    await waitForImage(bob.getByRole('article').first().locator('.avatar img'))
    expect(await bob.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await bob.setViewportSize(size)

    await ada.getByRole('button', { name: 'Edit profile' }).click()
    await ada.getByRole('button', { name: 'Remove header image' }).click()
    await ada.getByText('Your header image was removed').waitFor()
    expect(await ada.locator('.profile .banner').count()).toBe(0)
    await ada.getByRole('button', { name: 'Cancel' }).click()
  })

  test('the author changes the description of an image in a published post, and others cannot', async () => {
    const { site, ada, bob } = world
    const image = /^Open image 1 of 1/
    await ada.getByRole('button', { name: image }).first().click()
    const dialog = ada.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Edit description' }).click()
    await dialog.getByLabel(/^Description/).fill('A red sun above a ridge')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('A red sun above a ridge').waitFor()
    await ada.keyboard.press('Escape')

    await bob.goto(`${site.origin}/@ada`)
    await bob.getByRole('button', { name: 'Open image 1 of 1: A red sun above a ridge' }).click()
    await bob.getByRole('dialog').getByText('A red sun above a ridge').waitFor()
    expect(await bob.getByRole('button', { name: 'Edit description' }).count()).toBe(0)
    await bob.keyboard.press('Escape')
  })
}
