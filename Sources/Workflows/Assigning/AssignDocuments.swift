import Artifacts
import Clustering
import Documents
import Embedding
import Foundation
import Kernels
import Pipeline
import Tokenization

/// Adds a member `cluster` to each document: the leaf of each of its windows, in order. The account's `extra` counts windows and tokens.
package struct AssignDocuments: RecordStage {
  private static let stage = "assign"
  package let name: String? = Self.stage
  package let workers: WorkerPool<AssignWorker>

  /// - Parameter tokenizer: must be the tokenizer of the tree's corpus.
  package init(tree: StoredTree, tokenizer: Tokenizer) throws {
    let embedder = try tree.openEmbedder()
    try embedder.check(tokenizer: tokenizer.fingerprint, place: "tokenizer")
    let router = TreeRouter(tree.tree)
    workers = WorkerPool { AssignWorker(encoder: DocumentEncoder(tokenizer), embedder: embedder, router: router) }
  }

  /// What the user should know about the documents: every window is assigned to some leaf, even text that the tree's corpus has nothing of.
  package static func remarks(on accounts: [Account]) -> [String] {
    guard let extra = accounts.first(where: { $0.stage == stage })?.extra, let tokens = extra[AssignWorker.tokens], tokens > 0,
      let known = extra[AssignWorker.known]
    else { return [] }
    let share = String(format: "%.1f %%", 100 * known / tokens)
    return known < 0.5 * tokens
      ? ["  warning: the tree's embedder knows only \(share) of the tokens, so the clusters are arbitrary; fit a tree on such documents"]
      : ["  the tree's embedder knows \(share) of the tokens"]
  }
}

package struct AssignWorker: RecordWorker {
  fileprivate var encoder: DocumentEncoder
  fileprivate let embedder: any Embedder
  fileprivate let router: TreeRouter
  private let pool = ThreadPool(threads: 1)
  private var counts: [String: Double] = [:]

  fileprivate static let (windows, tokens, known) = ("windows", "tokens", "known tokens")

  fileprivate init(encoder: DocumentEncoder, embedder: any Embedder, router: TreeRouter) {
    (self.encoder, self.embedder, self.router) = (encoder, embedder, router)
  }

  package mutating func takeCounts() -> [String: Double] {
    defer { counts = [:] }
    return counts
  }

  package mutating func decide(_ document: Document) throws -> Decision<Document> {
    let windows = encoder.encode(document).windows
    let leaves = windows.isEmpty ? [] : try router.leaves(embedder.embed(windows, pool: pool), pool: pool)
    counts[Self.windows, default: 0] += Double(windows.count)
    counts[Self.tokens, default: 0] += Double(windows.reduce(0) { $0 + $1.count })
    if let known = embedder.knownTokens(windows) { counts[Self.known, default: 0] += Double(known) }
    var document = document
    if !document.members.isEmpty { document.members += Array(",".utf8) }
    document.members += Array("\"cluster\":[\(leaves.map { String($0) }.joined(separator: ","))]".utf8)
    return .keep(document)
  }
}
