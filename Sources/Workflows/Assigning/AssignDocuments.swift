import Artifacts
import Clustering
import Documents
import Embedding
import Kernels
import Pipeline
import Tokenization

/// Adds a member `cluster` to each document: the leaf of each of its windows, in order.
package struct AssignDocuments: RecordStage {
  package let name: String? = "assign"
  package let workers: WorkerPool<AssignWorker>

  /// - Parameter tokenizer: must be the tokenizer of the tree's corpus.
  package init(tree: StoredTree, tokenizer: Tokenizer) throws {
    let embedder = try tree.openEmbedder()
    try embedder.check(tokenizer: tokenizer.fingerprint, place: "tokenizer")
    let router = TreeRouter(tree.tree)
    workers = WorkerPool { AssignWorker(encoder: DocumentEncoder(tokenizer), embedder: embedder, router: router) }
  }
}

package struct AssignWorker: RecordWorker {
  fileprivate var encoder: DocumentEncoder
  fileprivate let embedder: any Embedder
  fileprivate let router: TreeRouter
  private let pool = ThreadPool(threads: 1)

  package mutating func decide(_ document: Document) throws -> Decision<Document> {
    let windows = encoder.encode(document).windows
    let leaves = windows.isEmpty ? [] : try router.leaves(embedder.embed(windows, pool: pool), pool: pool)
    var document = document
    if !document.members.isEmpty { document.members += Array(",".utf8) }
    document.members += Array("\"cluster\":[\(leaves.map { String($0) }.joined(separator: ","))]".utf8)
    return .keep(document)
  }
}
