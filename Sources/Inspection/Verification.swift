import Pipeline
import Primitives
import Storage

/// Verifies files and folders that Weir wrote: all checksums, and what each format promises.
package enum Verification {
  /// Verifies a file, or a folder with all artifacts in it, such as the vectors and clusters of a dataset and the checkpoints of a run.
  /// - Parameter registry: the types of artifacts.
  /// - Returns: what was checked, and every problem; a damaged file is a problem, not an error.
  /// - Throws: `WeirError` if nothing at the path is of a known type; `Stopped`.
  package static func check(_ path: String, registry: ArtifactRegistry, progress: Progress = .silent) throws -> VerifyReport {
    guard Files.exists(path) else { throw WeirError(path, "no such file or folder", remedy: "check the path") }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let verifier = Verifier(registry: registry.withGenericFiles, progress: progress)
    let remedy = "`weir verify` supports " + ArtifactRegistry.supported
    let kind: String
    if Files.isFolder(path) {
      let files = try Files.walk(path)
      verifier.total = files.reduce(0) { $0 + ((try? Files.size(path + "/" + $1)) ?? 0) }
      kind = try verifier.checkFolder(path)
      guard verifier.found else { throw WeirError(path, "contains nothing that Weir wrote", remedy: remedy) }
    } else {
      verifier.total = (try? Files.size(path)) ?? 0
      guard let found = try verifier.registry.identify(path) else { throw WeirError(path, "was not written by Weir", remedy: remedy) }
      kind = found.kind
      try verifier.checkFile(path, found)
    }
    return VerifyReport(
      path: path, kind: kind, files: verifier.files, bytes: verifier.bytes, problems: verifier.problems, notes: verifier.notes)
  }
}
