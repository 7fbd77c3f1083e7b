import { expect, test } from 'vitest'
import { newPage, type World } from './site.ts'

export function graphiqlTests(world: World): void {
  test('GraphiQL at /graphql runs a query, and loads nothing from another server', async () => {
    const { site } = world
    const page = await newPage(site)
    const foreign: string[] = []
    page.on('request', (request) => {
      if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(site.origin)) foreign.push(request.url())
    })
    await page.goto(`${site.origin}/graphql`)
    await page.getByRole('button', { name: /Execute query/ }).click()
    await page.getByText('"postLength"').first().waitFor()
    expect(foreign).toEqual([])
    await page.context().close()
  })
}
