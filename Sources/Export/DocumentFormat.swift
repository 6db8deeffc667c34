/// The formats that documents can be exported in.
package enum DocumentFormat: String, Sendable, CaseIterable {
  /// JSON Lines, as `weir read` reads and writes them.
  case jsonl
  /// Parquet, through the program `duckdb`.
  case parquet
}
