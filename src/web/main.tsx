import './style/index.css'
import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { report } from './announce.tsx'
import { App } from './app.tsx'
import { readLimits } from './limits.ts'
import { readMe } from './me.ts'
import { connect } from './realtime.ts'
import { resume, session } from './session.ts'

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
