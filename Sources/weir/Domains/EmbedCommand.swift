import ArgumentParser
import Artifacts
import Embedding
import Kernels
import Pipeline
import Primitives
import Storage
import Tokens
import Workflows

/// `weir embed DATASET`: a vector for every window.
struct EmbedCommand: SeededCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Compute an embedding for every window of a token dataset.",
    discussion: """
      A window is at most 1,024 consecutive tokens of one document.

      lsi (default): latent semantic indexing, that is hashed tf-idf of tokens and a truncated SVD, fitted on this dataset; \
      no download. minilm:FOLDER: a sentence encoder in the layout of sentence-transformers, such as all-MiniLM-L6-v2. \
      static:FOLDER: static token vectors distilled from such an encoder. Any other folder: the embedder stored in that tree \
      or vector folder.

      Vectors are written to DATASET/vectors/NAME.

      EXAMPLES:
        weir embed out/dataset --dimensions 128
        weir embed out/dataset --model minilm:corpora/full/minilm
      """)

  @Argument(help: ArgumentHelp("Token dataset folder.", valueName: "dataset"))
  var dataset: String

  @Option(
    help: ArgumentHelp(
      "lsi, minilm:FOLDER, static:FOLDER, or a folder of a tree or of vectors whose embedder to reuse.", valueName: "name"))
  var model = "lsi"

  @Option(help: ArgumentHelp("Embedding dimensions. (default: 128 for lsi, 256 for static)", valueName: "n"))
  var dimensions: Int?

  @Option(help: ArgumentHelp("Maximum windows to fit lsi on.", valueName: "n"))
  var sample = 50_000

  @Option(
    name: .customLong("chunks"),
    help: ArgumentHelp("Chunks of 256 WordPiece tokens per window that minilm embeds: first or all.", valueName: "which"))
  var parts = TextEmbedder.Configuration.Parts.all

  @Option(help: ArgumentHelp("Precision of minilm: float32, or bf16 where the processor supports it.", valueName: "kind"))
  var precision = TextEmbedder.Configuration.Precision.float32

  @Option(help: ArgumentHelp("Import vectors instead: a float32 .npy with one row per window.", valueName: "file"))
  var vectors: String?

  @Option(
    help: ArgumentHelp(
      "Name of the vectors. (default: the model's kind; imported: external)", valueName: "name"))
  var name: String?

  @OptionGroup var seed: SeedOption
  @OptionGroup var common: CommonOptions

  private var source: EmbedderModel { EmbedderModel(model) }

  private var folderName: String { name ?? (vectors != nil ? "external" : source.kind) }

  func validate() throws {
    guard name.map({ !$0.isEmpty && !$0.contains("/") && $0 != "." && $0 != ".." }) ?? true else {
      throw ValidationError("--name must be a valid folder name")
    }
  }

  var propertyFlags: PropertyFlags { ["dimensions": "--dimensions", "sample": "--sample", "model": "--model", "precision": "--precision"] }
  var inputs: [String] { [dataset] + (vectors.map { [$0] } ?? source.folder.map { [$0] } ?? []) }
  var outputs: [String] { [DatasetFolder(dataset).vectors(folderName)] }

  func perform(_ session: Session) throws -> Outcome {
    let dataset = try TokenDataset(dataset)
    let pool = ThreadPool(threads: session.threads)
    let target = dataset.folder.vectors(folderName)
    let clock = ContinuousClock()
    var seconds: [String: Double] = [:]
    let report = try session.with("embed") { progress in
      if let vectors {
        return try ImportVectors.run(WindowVectors(array: vectors, name: folderName), of: dataset, to: target, tool: Weir.tool)
      }
      let start = clock.now
      var lsi = LSIEmbedder.Configuration()
      (lsi.dimensions, lsi.sample, lsi.randomSeed) = (dimensions ?? lsi.dimensions, sample, seed.seed)
      let embedder = try source.embedder(
        for: dataset, lsi: lsi, encoder: TextEmbedder.Configuration(parts: parts, precision: precision), dimensions: dimensions ?? 256,
        pool: pool, progress: progress)
      seconds["model"] = (clock.now - start) / .seconds(1)
      let begin = clock.now
      let report = try EmbedDataset.run(
        dataset, embedder: embedder, to: target, replacing: true, tool: Weir.tool, pool: pool, progress: progress)
      seconds["windows"] = (clock.now - begin) / .seconds(1)
      return report
    }
    var json = try JSONValue(encoding: report)
    json.set("seconds", try JSONValue(encoding: seconds))
    return Outcome(
      report: json,
      lines: ["  \(Format.count(report.windows)) windows in \(report.dimensions) dimensions, \(report.empty) without features"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let size = try forecast.size(of: [dataset])
    let windows = max(size.documents, size.tokens / 1024)
    // LSI counts the features of the windows that it is fitted on, in rows and in columns; the others hold a model and some windows.
    let fitted = size.tokens * min(1, Double(sample) / max(1, windows))
    return Forecast.Row(
      documents: size.documents, tokens: size.tokens,
      memory: model == "lsi" ? fitted * 16 + 65_536 * Double(dimensions ?? 256) * 12 : 300e6,
      disk: (windows + 65_536) * Double(dimensions ?? 384) * 4)
  }
}

extension TextEmbedder.Configuration.Parts: ExpressibleByArgument {}
extension TextEmbedder.Configuration.Precision: ExpressibleByArgument {
  /// `bf16` as the trainer calls it, or the name that is stored.
  package init?(argument: String) { self.init(rawValue: argument == "bf16" ? "bfloat16" : argument) }
  /// The trainer's name, as in the help.
  package var defaultValueDescription: String { self == .bfloat16 ? "bf16" : rawValue }
  /// One name each.
  package static var allValueStrings: [String] { ["float32", "bf16"] }
  /// None.
  package static var allValueDescriptions: [String: String] { [:] }
}
