import Artifacts
import Loading
import Pipeline
import Tokens

/// The rows of a dataset, grouped by the nodes of one level of a tree.
struct DomainRows: Sendable {
  let rows: PackedRows

  /// - Parameter folder: where the rows are written; nil for the dataset's folder, where they are kept.
  init(
    dataset: String, tree: StoredTree, level: Int, sequence: Int, folder: String? = nil, progress: Progress = .silent
  ) throws {
    let store = try RowStore(dataset)
    var packing = PackDataset()
    (packing.groups, packing.sequence) = (try store.groups(of: tree, level: level), sequence)
    rows = try store.rows(packing, in: folder) {
      try progress.checkStop()
      progress.phase("pack").update(0, unit: "documents", detail: $0)
    }
  }

  /// [domains] tokens.
  var tokens: [Int] { rows.groups.map(\.tokens) }

  /// The mixture that draws from one domain, or from the whole dataset, uniformly over tokens.
  func mixture(domain: Int? = nil) -> RowMixture {
    var mixture = RowMixture(uniform: RowOrder.groups(of: [rows]))
    if let domain { mixture.stages[0].weights = rows.groups.indices.map { $0 == domain ? 1 : 0 } }
    return mixture
  }

  /// Batches of one domain, or of the whole dataset.
  /// - Parameters:
  ///   - tokens: the length of the run.
  ///   - parent: the run that it continues: it reads the rows that the parent has not read.
  func batches(
    domain: Int? = nil, tokens: Int, continuing parent: ParentRun? = nil, _ settings: TrainingSettings, progress: Progress = .silent
  ) throws -> PackedLoader {
    var data = LoaderConfiguration(dataset: rows.tokens.path)
    (data.rows, data.sequence, data.randomSeed) = (settings.rows, settings.sequence, settings.randomSeed)
    return try data.loader(
      on: [rows], drawing: mixture(domain: domain), tokens: tokens, continuing: parent, name: rows.path, progress: progress)
  }
}
