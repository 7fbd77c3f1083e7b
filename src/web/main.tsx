import './style/index.css'
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { connect } from './api/realtime.ts'
import { resume, session } from './api/session.ts'
import { App } from './app.tsx'
import { readMe } from './state/current-account.ts'
import { readLimits } from './state/limits.ts'
import { report } from './ui/toasts.tsx'

const failure = signal<unknown>(null)

function Root() {
  return <App failure={failure.value} />
}

effect(() => {
  if (!session.value) return
  connect()
  Promise.all([readMe(), readLimits()]).catch(report)
})

resume().catch((error: unknown) => {
  failure.value = error
})
render(<Root />, document.querySelector('#app')!)
