import Storage

/// A folder written by `TokenExport`.
package struct StoredExport: Artifact {
  package static let format = "weir.token-export.1"
  package static let form = ArtifactForm.folder

  package let manifest: Manifest

  package static func open(_ path: String) throws -> StoredExport {
    StoredExport(manifest: try Manifest.read(folder: path, format: format))
  }
}
