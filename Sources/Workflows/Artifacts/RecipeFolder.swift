import Primitives
import Storage

/// The folder of a recipe's run: the recipe, the states of its steps, and the summary that the report is made from.
package struct RecipeFolder: Artifact {
  package static let format = "weir.recipe-run.1"
  package static let kind = "recipe run"
  package static let form = ArtifactForm.folder
  package static let fileKinds = [summaryFile: "summary"]
  private static let summaryFile = "summary.json"
  private static let stepsFolder = "steps"

  package let path: String

  package init(_ path: String) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// Writes a file, and keeps the folder's list of checksums; files elsewhere are not listed.
  package func sealing(_ file: String, _ write: () throws -> Void) throws {
    let parts = file.dropFirst(path.count).split(separator: "/").filter { $0 != "." }
    guard file.hasPrefix(path + "/"), !parts.contains("..") else { return try write() }
    let name = parts.joined(separator: "/")
    try ChecksumList.remove([name], in: path)
    try write()
    try ChecksumList.add([name], in: path)
  }

  /// The copy of the recipe.
  package var recipe: String { path + "/recipe.json" }
  /// The numbers behind the report.
  package var summary: String { path + "/" + Self.summaryFile }
  package var steps: String { path + "/" + Self.stepsFolder }
  package func state(of step: String) -> String { "\(steps)/\(step).json" }

  /// The run's folder for the path of a step's state; nil for other paths.
  static func containing(state path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[parts.count - 2] == stepsFolder else { return nil }
    return parts.count == 2 ? "." : parts.dropLast(2).joined(separator: "/")
  }

  package static func matches(_ candidate: ArtifactCandidate) -> Bool {
    candidate.contains(summaryFile) || candidate.isFolder && Files.isFolder(RecipeFolder(candidate.path).steps)
  }

  /// The steps and what they wrote are checked by themselves; here, whether the list of checksums covers them.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {
    let folder = try open(path)
    let steps = try Files.isFolder(folder.steps) ? Files.entries(of: folder.steps).filter { $0.hasSuffix(".json") } : []
    try ChecksumList.noteMissing(["recipe.json"] + steps.map { stepsFolder + "/" + $0 }, in: path, context)
  }

  package static func open(_ path: String) throws -> RecipeFolder {
    guard try matches(ArtifactCandidate(path)) else {
      throw WeirError(path, "is not the run of a recipe", remedy: "give a folder that `weir run` made")
    }
    return RecipeFolder(path)
  }
}
