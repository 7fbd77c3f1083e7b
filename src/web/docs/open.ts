import { createClient, type Tokens } from '../../client/client.ts'

type SwaggerUi = {
  preauthorizeApiKey: (scheme: string, token: string) => void
  authActions: { logout: (schemes: string[]) => void }
}
declare const SwaggerUIBundle: (options: object) => SwaggerUi

const REFRESH_BEFORE_S = 60

const dark = matchMedia('(prefers-color-scheme: dark)')
const applyTheme = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', applyTheme)
applyTheme()

const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  responseInterceptor: foldConventions,
  validatorUrl: null, // otherwise the page loads a badge from another server
})

/** Folds the sections of the API description, so that the operations are visible without scrolling. */
function foldConventions(response: { url: string; text: string }) {
  if (!response.url.endsWith('/openapi.json')) return response
  const document = JSON.parse(response.text) as { info: { description: string; contact?: object } }
  delete document.info.contact // a line of its own that says little
  const [summary, ...sections] = document.info.description.split('\n\n## ')
  const text = `## ${sections.join('\n\n## ')}`
  const folded = `<details><summary>What applies to all operations</summary>\n\n${text}\n\n</details>`
  document.info.description = `${summary}\n\n${folded}`
  return Object.assign(response, { text: JSON.stringify(document) })
}

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T
const [form, loggedIn, status] = [find<HTMLFormElement>('log-in'), find('logged-in'), find('status')]
let tokens: Tokens | null = null
let timer = 0
const client = createClient({ origin: location.origin, onTokens: begin, onSessionEnd: (error) => end(error?.message) })

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const fields = new FormData(form)
  const login = { identifier: String(fields.get('identifier')).trim(), password: String(fields.get('password')) }
  await client.logIn(login).then(() => form.reset(), fail)
})

find('log-out').addEventListener('click', () => client.logOut().catch(() => client.session.end()))

const fail = (error: unknown) => end(error instanceof Error ? error.message : String(error))

function begin(received: Tokens): void {
  tokens = received
  ui.preauthorizeApiKey('bearer', received.accessToken)
  find('handle').textContent = `@${received.account.handle}`
  show('')
  clearTimeout(timer)
  timer = setTimeout(() => client.session.refresh().catch(fail), (received.expiresIn - REFRESH_BEFORE_S) * 1_000)
}

function end(reason = ''): void {
  if (tokens) ui.authActions.logout(['bearer'])
  tokens = null
  clearTimeout(timer)
  show(reason)
}

function show(message: string): void {
  form.hidden = tokens !== null
  loggedIn.hidden = tokens === null
  status.textContent = message
}
