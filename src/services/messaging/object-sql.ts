export function changes(sql: SqlStorage, statement: string, ...values: (string | number | null)[]): boolean {
  return sql.exec(`${statement} RETURNING 1`, ...values).toArray().length > 0
}
