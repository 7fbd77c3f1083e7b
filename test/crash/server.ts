import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** `npm start` in a process group of its own, so that a kill takes wrangler and workerd with it, as a power cut would. */
export class Server {
  readonly origin: string
  private readonly port: number
  private readonly stateDir: string
  private readonly variables: Record<string, string>
  private process: ChildProcess | null = null

  constructor(port: number, stateDir: string, variables: Record<string, string>) {
    this.port = port
    this.stateDir = stateDir
    this.variables = variables
    this.origin = `http://127.0.0.1:${port}`
  }

  /** Starts it and waits until it answers. Throws with its output when it ends instead. */
  async start(): Promise<void> {
    const vars = Object.entries(this.variables).flatMap(([name, value]) => ['--var', `${name}:${value}`])
    const where = ['--port', String(this.port), '--persist-to', this.stateDir, ...vars]
    const child = spawn(process.execPath, ['scripts/start.ts', ...where], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: string[] = []
    child.stdout.on('data', (chunk) => output.push(String(chunk)))
    child.stderr.on('data', (chunk) => output.push(String(chunk)))
    this.process = child
    for (;;) {
      const answer = await fetch(`${this.origin}/healthz`).catch(() => null)
      if (answer?.ok) return
      if (child.exitCode !== null) throw new Error(`The server ended:\n${output.join('').slice(-3_000)}`)
      await sleep(50)
    }
  }

  /** `kill -9` of the whole group. */
  async kill(): Promise<void> {
    const child = this.process
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    process.kill(-child.pid, 'SIGKILL')
    await exited
    await this.closed()
  }

  /** The port is given back only when the last process of the group is gone. */
  private async closed(): Promise<void> {
    while (
      await fetch(`${this.origin}/healthz`).then(
        () => true,
        () => false,
      )
    )
      await sleep(20)
  }
}
