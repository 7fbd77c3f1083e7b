import './style/index.css'
import { computed, effect, signal } from '@preact/signals'
import { render } from 'preact'
import { resumeSession } from './api/client.ts'
import { connect } from './api/live.ts'
import { session, suspended } from './api/session.ts'
import { App } from './app.tsx'
import { loadCurrentAccount } from './state/current-account.ts'
import { loadChoice } from './state/impressions.ts'
import { loadLimits } from './state/limits.ts'
import { reportError } from './state/toasts.ts'

const startError = signal<unknown>(null)

function Root() {
  return <App startError={startError.value} />
}

const accountId = computed(() => session.value?.id)
effect(() => {
  if (!accountId.value || suspended.value) return
  connect()
  Promise.all([loadCurrentAccount(), loadLimits(), loadChoice()]).catch(reportError)
})

resumeSession().catch((error: unknown) => {
  startError.value = error
})
const root = document.querySelector('#app')
if (root) render(<Root />, root)
