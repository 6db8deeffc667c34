/// What a check of files found.
public struct VerifyReport: Codable, Sendable, Equatable {
  /// The file or folder.
  public var path: String
  /// What it is: `token dataset`, `run`, `safetensors`, ….
  public var kind: String
  /// Files read whole.
  public var files: Int
  /// Bytes of these files, as they are on disk.
  public var bytes: Int
  /// One line per problem, beginning with path (and line or byte); none where all is well.
  public var problems: [String]
  /// What is no problem but worth knowing, such as files that no manifest names.
  public var notes: [String]

  /// Creates a report.
  public init(path: String, kind: String, files: Int = 0, bytes: Int = 0, problems: [String] = [], notes: [String] = []) {
    self.path = path
    self.kind = kind
    self.files = files
    self.bytes = bytes
    self.problems = problems
    self.notes = notes
  }
}
