import { expect, test } from 'vitest'
import { heading, newUser, openView } from './actions.ts'
import { violations } from './axe.ts'
import { describeSite } from './site.ts'

describeSite('groups', (world) => {
  test('people start a group, write in it, join by a link, and are removed', async () => {
    const { site } = world
    const ada = await newUser(site, 'ada', 'Ada Lovelace')
    const bob = await newUser(site, 'bob', 'Bob Bramwell')
    const cleo = await newUser(site, 'cleo', 'Cleo Clark')
    const shot = async (page: typeof ada, name: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [390, 1280]) {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 800 })
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
          const path = `${process.env.SCREENSHOTS}/${name}-${width}-${colorScheme}.png`
          if (process.env.SCREENSHOTS) await page.screenshot({ path, fullPage: true })
        }
        expect(await violations(page)).toEqual([])
      }
    }
    await openView(ada, 'Messages')
    await ada.getByRole('link', { name: 'New group' }).click()
    await ada.getByLabel('Name').fill('Engines')
    await ada.getByLabel('Members').fill('@bob @nobody_here')
    await ada.getByRole('button', { name: 'Start the group' }).click()
    await ada.getByText('nobody has: @nobody_here').waitFor()
    await ada.getByLabel('Members').fill('@bob')
    await shot(ada, 'new-group')
    await ada.getByRole('button', { name: 'Start the group' }).click()
    await heading(ada, 'Engines').waitFor()
    await ada.getByText('You started the group').waitFor()
    await ada.getByLabel('Write a message').fill('Shall we build it?')
    await ada.getByRole('button', { name: 'Send' }).click()

    await openView(bob, 'Messages')
    await bob.getByRole('button', { name: 'Requests (1)' }).click()
    await bob.getByRole('link', { name: /Engines/ }).click()
    await bob.getByRole('button', { name: 'Accept' }).click()
    await bob.getByText('You joined').waitFor()
    await bob.getByLabel('Write a message').fill('With steam')
    await bob.getByRole('button', { name: 'Send' }).click()
    await ada.getByText('With steam').waitFor()
    await ada.getByText('Bob Bramwell joined').waitFor()
    await shot(ada, 'group-conversation')

    await ada.getByRole('link', { name: 'Members and settings' }).click()
    await ada.getByRole('button', { name: 'Make a link' }).click()
    const address = (await ada.getByText(/\/join#/).textContent()) ?? ''
    await cleo.goto(address)
    await heading(cleo, 'Join Engines').waitFor()
    expect(cleo.url()).not.toContain('#')
    await shot(cleo, 'join')
    await cleo.getByRole('button', { name: 'Join' }).click()
    await cleo.getByText('You joined').waitFor()
    await ada.getByRole('link', { name: 'Messages of the group' }).click()
    await ada.getByText('Cleo Clark joined').waitFor()
    await ada.getByRole('link', { name: 'Members and settings' }).click()
    await ada.getByText('3 members').waitFor()
    await shot(ada, 'group')
    await ada.getByRole('button', { name: 'Make admin: Bob Bramwell' }).click()
    await ada.getByRole('button', { name: 'Make member: Bob Bramwell' }).waitFor()
    await ada.getByRole('button', { name: 'Remove: Cleo Clark' }).click()
    await ada.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await ada.getByText('2 members').waitFor()
    await cleo.reload()
    await cleo.getByRole('heading', { level: 1, name: /Conversation|not found/i }).waitFor()
    expect(await cleo.getByText('You joined').count()).toBe(0)
  })
})
