/// A type of file or folder that Weir stores. The conforming type owns the format's name, file names, checks and description; `weir verify` and
/// `weir peek` find it through an `ArtifactRegistry`.
///
/// The protocol is part of Storage because Tokens and Tokenization, which are below Artifacts, store files too.
package protocol Artifact: SendableMetatype {
  /// The format id: the `format` in the manifest or in the JSON file, such as `weir.token-dataset.1`; for other formats, any unique name.
  static var format: String { get }
  /// The name of the type in messages, such as `token dataset`.
  static var kind: String { get }
  static var form: ArtifactForm { get }
  /// The kinds of the JSON files inside the artifact, by file name. A file with such a name has that kind even if its content is damaged.
  static var fileKinds: [String: String] { get }
  /// Whether a file, or a folder without a manifest, is of this type. Format ids need no check here.
  static func matches(_ candidate: ArtifactCandidate) -> Bool
  /// Opens an artifact and checks what every reader checks: everything but the checksums and the content of large files.
  static func open(_ path: String) throws -> Self
  /// Checks what the format promises, beyond the checksums in the manifest. An error is a problem, too.
  static func verify(_ path: String, _ context: any VerificationContext) throws
  /// Whether `verify` reads this file of the folder, so that it needs no check of its own.
  static func verifies(file name: String) -> Bool
  /// The content for a person: a title, to be printed after the path, and lines with at most `lines` entries per list. Nil if the generic
  /// description of manifests, JSON objects and folders says enough.
  static func describe(_ path: String, lines: Int) throws -> [String]?
}

/// Where artifacts of a type are stored.
package enum ArtifactForm: Sendable {
  case file
  case folder
  case fileOrFolder
}

extension Artifact where Self: Decodable {
  /// Reads a JSON file.
  package static func open(_ path: String) throws -> Self { try JSONFile.read(Self.self, from: path) }
}

extension Artifact {
  package static var kind: String { ArtifactRegistry.kind(format: format) }
  package static var form: ArtifactForm { .file }
  package static var fileKinds: [String: String] { [:] }
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { false }
  package static func verify(_ path: String, _ context: any VerificationContext) throws { _ = try open(path) }
  package static func verifies(file name: String) -> Bool { false }
  package static func describe(_ path: String, lines: Int) throws -> [String]? { nil }
}
