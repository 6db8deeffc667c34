import ArgumentParser
import Artifacts
import Clustering
import Documents
import Embedding
import Kernels
import Pipeline
import Primitives
import Storage
import Tokenization
import Workflows

/// `weir assign --tree DIR`: documents to documents with their cluster.
struct AssignCommand: ChainCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract: "Assign documents in a pipe to clusters.",
    discussion: """
      Adds a member "cluster": the leaf of each window of the document, in order. The tree carries its embedder; \
      --tokenizer must be the one the tree's corpus was tokenized with.

      EXAMPLES:
        weir assign new.jsonl --tree out/tree --tokenizer tokenizer/bpe4k --plain
      """)

  @OptionGroup var input: InputOptions

  @Option(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Tokenizer folder.", valueName: "folder"))
  var tokenizer: String

  @OptionGroup var output: OutputOptions
  @OptionGroup var stream: StreamOptions
  @OptionGroup var common: CommonOptions

  var inputs: [String] { input.paths + [tree, tokenizer] }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func extend(_ chain: inout ChainBuilder) throws {
    try chain.add(input: input, output: output, stream: stream)
    let stored = try StoredTree(tree)
    let tokenizer = try Tokenizer(folder: tokenizer)
    let embedder = try Clusters.embedder(of: stored)
    try embedder.check(tokenizer: tokenizer.fingerprint, place: "--tokenizer")
    chain.append(AssignDocuments(tokenizer: tokenizer, embedder: embedder, router: TreeRouter(stored.tree)))
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { try forecast.documents(input, output: output) }
}

/// Adds the leaf of each of a document's windows as its member `cluster`.
struct AssignDocuments: RecordStage {
  let name: String? = "assign"
  let workers: WorkerPool<AssignWorker>

  init(tokenizer: Tokenizer, embedder: any Embedder, router: TreeRouter) {
    workers = WorkerPool { AssignWorker(tokenizer: tokenizer, embedder: embedder, router: router) }
  }
}

struct AssignWorker: RecordWorker {
  let tokenizer: Tokenizer
  let embedder: any Embedder
  let router: TreeRouter
  private var context = EncodeContext()
  private let pool = ThreadPool(threads: 1)

  init(tokenizer: Tokenizer, embedder: any Embedder, router: TreeRouter) {
    self.tokenizer = tokenizer
    self.embedder = embedder
    self.router = router
  }

  mutating func decide(_ document: Document) throws -> Decision<Document> {
    var ids: [UInt32] = []
    tokenizer.encode(document.text, into: &ids, context: &context)
    if let end = tokenizer.endOfDocument { ids.append(end) }
    let windows = WindowReader.windows(of: ids)
    let leaves = windows.isEmpty ? [] : try router.leaves(embedder.embed(windows, pool: pool))
    var document = document
    if !document.members.isEmpty { document.members += Array(",".utf8) }
    document.members += Array("\"cluster\":[\(leaves.map { String($0) }.joined(separator: ","))]".utf8)
    return .keep(document)
  }
}
