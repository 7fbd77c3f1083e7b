import { spawnSync } from 'node:child_process'
import { lineAt, parseAll, type SourceFile, type Sources, standsAlone } from './source-files.ts'

/** The last commit before these rules applied. */
const START = '00ee09a'
const SUBJECT_LENGTH = 72
const COMMENT_LINES = 3
const WORDS = ['Add', 'Fix', 'Remove', 'Rename', 'Test', 'Document', 'Speed up', 'Refactor']

/** The subjects of the commits after `START`. None without git, or in a clone without the full history. */
export function readSubjects(): string[] {
  const { status, stdout } = spawnSync('git', ['log', '--format=%s', `${START}..HEAD`], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n').filter(Boolean) : []
}

export const subjectProblems = (subjects: string[]): string[] =>
  subjects.flatMap((subject) => {
    const begins = [...WORDS, 'Merge'].some((word) => subject.startsWith(`${word} `))
    const first = begins ? [] : [`begins with none of ${WORDS.join(', ')}`]
    const length = subject.length > SUBJECT_LENGTH ? [`has more than ${SUBJECT_LENGTH} characters`] : []
    return [...first, ...length].map((problem) => `The commit "${subject}" ${problem}`)
  })

/** Returns one problem for each comment with more than three lines of text, in a block or in consecutive `//` lines. */
export const commentProblems = (sources: Sources): string[] =>
  parseAll(sources).flatMap((file) =>
    commentsOf(file)
      .filter(({ lines }) => lines > COMMENT_LINES)
      .map(({ first, lines }) => `${file.path}:${first} has a comment of ${lines} lines; at most ${COMMENT_LINES}`),
  )

type Span = { first: number; last: number; lines: number; isLine: boolean }

function commentsOf({ text, comments }: SourceFile): Span[] {
  const merged: Span[] = []
  for (const { type, value, start, end } of comments) {
    const [first, last] = [lineAt(text, start), lineAt(text, end)]
    const isLine = type === 'Line' && standsAlone(text, start)
    const lines = value.split('\n').filter((line) => /\w/.test(line)).length
    const previous = merged.at(-1)
    if (isLine && previous?.isLine && previous.last + 1 === first) {
      Object.assign(previous, { last, lines: previous.lines + lines })
    } else merged.push({ first, last, lines, isLine })
  }
  return merged
}
