import ArgumentParser
import Corpus
import Embedding
import Kernels
import Pipeline
import Primitives
import Storage

/// `weir embed DATASET`: a vector for every window.
struct EmbedCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Places every window of a token dataset: text about the same things lies close together.",
    discussion: """
      lsi is latent semantic indexing: hashed tf-idf of tokens, truncated SVD, fitted here, no download. A folder instead of a name takes the
      embedder that lies there (a tree's or another dataset's). Vectors go to DATASET/vectors/NAME.

      Example: weir embed out/dataset --model lsi --dimensions 128
      """)

  @Argument(help: ArgumentHelp("The token dataset.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("lsi, or the folder of a tree or of vectors whose embedder is to be used.", valueName: "name"))
  var model = "lsi"

  @Option(help: ArgumentHelp("Dimensions of a vector.", valueName: "n"))
  var dimensions = 128

  @Option(help: ArgumentHelp("The most windows that the embedder is fitted on.", valueName: "n"))
  var sample = 50_000

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  private var name: String { "lsi" }
  var inputs: [String] { [dataset] + (model == "lsi" ? [] : [model]) }
  var outputs: [String] { [Clusters.vectorsFolder(dataset, name)] }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let pool = ThreadPool(threads: session.threads)
    let report = try session.with("embed") { progress in
      let embedder: LSIEmbedder
      if model == "lsi" {
        var configuration = LSIEmbedder.Configuration()
        configuration.dimensions = dimensions
        configuration.sample = sample
        configuration.seed = seed.seed
        embedder = try LSIEmbedder.fit(
          WindowReader(dataset), tokenizer: dataset.tokenizer, configuration: configuration, pool: pool, progress: progress)
      } else {
        let folder = Files.isFolder(model + "/" + StoredTree.embedderFolder) ? model + "/" + StoredTree.embedderFolder : model
        guard Files.isFolder(folder) else { throw WeirError("--model", "\(model) is neither lsi nor a folder with an embedder") }
        embedder = try LSIEmbedder(folder: folder)
      }
      return try EmbedDataset.run(
        dataset, embedder: embedder, to: Clusters.vectorsFolder(dataset.path, name), replacing: true, tool: Weir.tool, pool: pool,
        progress: progress)
    }
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: ["  \(Format.count(report.windows)) windows in \(report.dimensions) dimensions, \(report.empty) without a feature"])
  }

  func forecast(_ world: inout Forecast) throws -> Forecast.Row {
    let size = try world.size(of: [dataset])
    let windows = max(size.documents, size.tokens / 1024)
    return Forecast.Row(
      documents: size.documents, tokens: size.tokens, memory: size.tokens * 16 + 65_536 * Double(dimensions) * 12,
      disk: windows * Double(dimensions) * 4)
  }
}
