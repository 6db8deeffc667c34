import Storage

extension WindowScores: Artifact {
  package static let form = ArtifactForm.folder
  package static func open(_ path: String) throws -> WindowScores { try WindowScores(folder: path) }

  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    // Unlike `open`, without the checksums, which `weir verify` has checked already.
    _ = try WindowScores(folder: path, manifest: Manifest.read(folder: path, format: format))
  }
}
