import { expect, test } from 'vitest'
import { heading, newUser, openView } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

describeSite('messages', (world) => {
  test('two people write to each other live, a stranger’s message is a request, and a reload shows the same', async () => {
    const { site } = world
    const ada = await newUser(site, 'ada', 'Ada Lovelace')
    const bob = await newUser(site, 'bob', 'Bob Bramwell')
    await ada.goto(`${site.origin}/@bob`)
    await ada.getByRole('button', { name: 'Message' }).click()
    await heading(ada, 'Bob Bramwell').waitFor()
    await ada.getByLabel('Write a message').fill('Dear @bob, shall we meet? https://example.org')
    await ada.getByRole('button', { name: 'Send' }).click()
    await ada.getByText('shall we meet?').waitFor()
    expect(await ada.getByLabel('Write a message').inputValue()).toBe('')

    await openView(bob, 'Messages')
    await bob.getByRole('button', { name: 'Requests (1)' }).click()
    await bob.getByRole('link', { name: /Ada Lovelace/ }).click()
    await bob.getByText('wants to write to you').waitFor()
    await bob.getByRole('button', { name: 'Accept' }).click()
    await bob.getByText('wants to write to you').waitFor({ state: 'detached' })
    await bob.getByLabel('Write a message').fill('At noon, by the engine')
    await bob.getByRole('button', { name: 'Send' }).click()
    await ada.getByText('At noon, by the engine').waitFor()
    await ada.getByLabel('Write a message').fill('See you there')
    await ada.getByRole('button', { name: 'Send' }).click()
    await bob.getByText('See you there').waitFor()
    await bob.reload()
    await bob.getByText('See you there').waitFor()
    expect(
      await bob
        .getByRole('listitem')
        .filter({ hasText: /You:|They:/ })
        .count(),
    ).toBe(3)

    const shot = async (page: string) => {
      for (const [colorScheme, width] of [
        ['light', 390],
        ['dark', 1280],
      ] as const) {
        await bob.emulateMedia({ colorScheme })
        await bob.setViewportSize({ width, height: 800 })
        expect(await bob.evaluate('document.documentElement.scrollWidth')).toBe(width)
        if (process.env.SCREENSHOTS) await bob.screenshot({ path: `${process.env.SCREENSHOTS}/${page}-${width}.png` })
      }
      expect(await violations(bob)).toEqual([])
    }
    await shot('conversation')
    await openView(bob, 'Messages')
    await bob.getByRole('link', { name: /Ada Lovelace/ }).waitFor()
    await shot('inbox')
    expect(site.consoleErrors).toEqual([])
  })
})
