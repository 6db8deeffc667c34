/// What a check of files found.
package struct VerifyReport: Codable, Sendable, Equatable {
  /// The file or folder.
  package var path: String
  /// What it is: `token dataset`, `run`, `safetensors`, ….
  package var kind: String
  /// Files read whole.
  package var files: Int
  /// Bytes of these files, as they are on disk.
  package var bytes: Int
  /// One line per problem, beginning with path (and line or byte); none where all is well.
  package var problems: [String]
  /// What is no problem but worth knowing, such as files that no manifest names.
  package var notes: [String]

  /// Creates a report.
  package init(path: String, kind: String, files: Int = 0, bytes: Int = 0, problems: [String] = [], notes: [String] = []) {
    self.path = path
    self.kind = kind
    self.files = files
    self.bytes = bytes
    self.problems = problems
    self.notes = notes
  }
}
