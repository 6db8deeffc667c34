import Documents
import Pipeline
import Primitives
import Storage

/// Checks files and folders of ours: every checksum, then what the format promises.
package enum Verification {
  /// Checks a file or folder. Of a folder, everything of ours that is in it: folders within it that have their own manifest (the vectors
  /// and clusters of a dataset, the model and the checkpoints of a run) are checked like it.
  /// - Parameters:
  ///   - path: the file or folder.
  ///   - progress: told the bytes read.
  /// - Returns: what was checked, and every problem found; a damaged file is a problem, not an error.
  /// - Throws: `WeirError` where nothing of ours is there; `Stopped`.
  package static func check(_ path: String, progress: Progress = .silent) throws -> VerifyReport {
    guard Files.exists(path) else { throw WeirError(path, "no such file or folder", remedy: "check the path") }
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let verifier = Verifier(progress: progress)
    let kind: String
    if Files.isFolder(path) {
      let files = try Files.walk(path)
      verifier.total = files.reduce(0) { $0 + ((try? Files.size(path + "/" + $1)) ?? 0) }
      kind = try verifier.checkFolder(path)
      guard verifier.found else {
        throw WeirError(path, "holds nothing that weir wrote", remedy: "weir verify knows " + FileKind.known)
      }
    } else {
      verifier.total = (try? Files.size(path)) ?? 0
      guard let found = try FileKind.of(path) else {
        throw WeirError(path, "is nothing that weir wrote", remedy: "weir verify knows " + FileKind.known)
      }
      kind = found.name
      try verifier.checkFile(path, found)
    }
    return VerifyReport(
      path: path, kind: kind, files: verifier.files, bytes: verifier.bytes, problems: verifier.problems, notes: verifier.notes)
  }
}
