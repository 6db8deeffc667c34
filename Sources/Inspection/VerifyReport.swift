/// The result of a verification.
package struct VerifyReport: Codable, Sendable, Equatable {
  package var path: String
  /// The kind of file or folder: `token dataset`, `run`, `safetensors`, ….
  package var kind: String
  /// Files read completely.
  package var files: Int
  /// Bytes of these files on disk.
  package var bytes: Int
  /// One line per problem, starting with the path (and line or byte).
  package var problems: [String]
  /// Findings that are not problems, such as files that no manifest names.
  package var notes: [String]
}
