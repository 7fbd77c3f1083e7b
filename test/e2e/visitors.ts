import { expect, test } from 'vitest'
import { heading, newUser, PASSWORD, writePost } from './actions.ts'
import { violations } from './axe.ts'
import { newPage, type World } from './site.ts'

const focusedName = 'document.activeElement.name'

export function visitorTests(world: World): void {
  test('the first page says what this is, and shows public posts beside the form, without an account', async () => {
    const { site } = world
    world.ada = await newUser(site, 'ada', 'Ada Lovelace')
    await writePost(world.ada, 'Readable for everyone')
    const visitor = await newPage(site)
    await visitor.goto(site.origin)
    await heading(visitor, 'Posts from the people you choose, newest first').waitFor()
    await visitor.getByRole('region', { name: 'Public posts' }).getByText('Readable for everyone').waitFor()
    await visitor.getByRole('form', { name: 'Log in' }).waitFor()
    expect(await violations(visitor)).toEqual([])
    for (const width of [390, 1280]) {
      await visitor.setViewportSize({ width, height: 800 })
      expect(await visitor.evaluate('document.documentElement.scrollWidth')).toBe(width)
      expect((await visitor.getByLabel('Handle or email').boundingBox())!.y).toBeLessThan(600)
    }
    await visitor.context().close()
  })

  test('a form reports its wrong fields itself, moves the focus to the first one, and sends nothing', async () => {
    const { site } = world
    const visitor = await newPage(site)
    let requests = 0
    visitor.on('request', (request) => {
      if (request.method() === 'POST') requests += 1
    })
    await visitor.goto(`${site.origin}/register`)
    await visitor.getByLabel('Handle').fill('zoe')
    await visitor.getByLabel('Email').fill('zoe at example.com')
    await visitor.getByLabel('Password', { exact: true }).fill('too short')
    await visitor.getByRole('button', { name: 'Create account' }).click()
    await visitor.getByText('The email address must have a form such as ada@example.com.').waitFor()
    await visitor.getByText('The password must have at least 15 characters.').waitFor()
    await visitor.getByRole('status').getByText('2 fields need a change').waitFor()
    await expect.poll(() => visitor.evaluate(focusedName)).toBe('email')
    expect(await violations(visitor)).toEqual([])

    await visitor.getByLabel('Email').fill('zoe@example.com')
    await visitor.getByText('The email address must').waitFor({ state: 'detached' })
    await visitor.getByText('The password must have at least 15 characters.').waitFor()
    expect(requests).toBe(0)
    await visitor.context().close()
  })

  test('the button in a password field shows the password until the form is sent', async () => {
    const { site } = world
    const visitor = await newPage(site)
    await visitor.goto(site.origin)
    const box = visitor.getByLabel('Password', { exact: true })
    expect(await box.getAttribute('autocomplete')).toBe('current-password')
    expect(await visitor.getByLabel('Handle or email').getAttribute('autocomplete')).toBe('username')
    await visitor.getByLabel('Handle or email').fill('ada')
    await box.fill('a wrong long password')
    await visitor.getByRole('button', { name: 'Show password' }).click()
    expect(await box.getAttribute('type')).toBe('text')
    await box.press('Enter')
    await visitor.getByRole('alert').getByText('password is wrong.').waitFor()
    expect(await box.getAttribute('type')).toBe('password')
    expect(await visitor.getByLabel('Handle or email').inputValue()).toBe('ada')
    await box.fill(PASSWORD)
    await box.press('Enter')
    await heading(visitor, 'Home').waitFor()
    await visitor.context().close()
  })
}
