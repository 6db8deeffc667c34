import Artifacts
import Clustering
import Foundation
import Primitives
import Reporting
import Sampling
import Storage
import Tokens

extension SummaryBuilder {
  /// Adds what the summary says of data: dataset, tokenizer, clusters, mixture.
  func addData(_ summary: inout RunSummary) throws {
    let map = (recipe.summary?["data"] ?? [:]).mapValues { $0.replacingOccurrences(of: "{run}", with: recipe.run) }
    if let path = map["dataset"], let dataset = try? TokenDataset(path) {
      summary.dataset = try Self.describe(dataset)
      summary.tokenizer = RunSummary.Tokenizer(
        name: map["tokenizer"], vocabulary: dataset.vocabulary,
        bytesPerToken: Double(dataset.byteCount) / Double(max(1, dataset.tokenCount)),
        fingerprint: dataset.tokenizer)
    }
    let mixture = try map["mixture"].map { try Mixture.read(from: $0) }
    if let mixture {
      let report = SamplingReport(mixture)
      summary.mixture = RunSummary.Mixture(
        method: mixture.method, seedData: mixture.seedData, depth: mixture.depth, smoothing: mixture.smoothing,
        maxEpochs: mixture.maxEpochs,
        runTokens: Double(mixture.runTokens), effectiveSampleSize: mixture.effectiveSampleSize, largestEpochs: report.largestEpochs,
        moved: mixture.moved)
    }
    guard let tree = map["tree"], let stored = try? StoredTree(tree), let step = map["clusters"], let state = states[step] else { return }
    let clusters = try JSONFile.decode(ClusterReport.self, from: JSONFile.encode(state.report), place: step)
    let byLeaf = Dictionary((mixture?.clusters ?? []).map { ($0.leaf, $0) }, uniquingKeysWith: { $1 })
    summary.clusters = clusters.nodes.filter { $0.level > 0 }.map { node in
      let cluster = node.leaf >= 0 ? byLeaf[node.leaf] : nil
      return RunSummary.Cluster(
        path: Clusters.path(of: node.node, in: stored.tree), windows: Double(node.windows), tokens: Double(node.tokens), share: node.share,
        purity: node.purity, domain: node.labels.first?.label, terms: node.terms.map { $0.word }, seedShare: cluster?.seed,
        generalShare: cluster?.general, weight: cluster?.weight, expectedEpochs: cluster?.epochs)
    }
  }

  private static func describe(_ dataset: TokenDataset) throws -> RunSummary.Dataset {
    var sources: [String: RunSummary.Part] = [:]
    var labels: [String: RunSummary.Part] = [:]
    try dataset.forEachInfo { document, info in
      let tokens = Double(dataset.length(document))
      func add(_ name: String?, _ parts: inout [String: RunSummary.Part]) {
        let name = name ?? "unknown"
        var part = parts[name] ?? RunSummary.Part(name: name, documents: 0, tokens: 0, bytes: 0)
        part.documents = (part.documents ?? 0) + 1
        part.tokens = (part.tokens ?? 0) + tokens
        part.bytes = (part.bytes ?? 0) + Double(info.bytes)
        parts[name] = part
      }
      add(info.source, &sources)
      add(Load.label(members: info.members, source: info.source), &labels)
      return true
    }
    func ordered(_ parts: [String: RunSummary.Part]) -> [RunSummary.Part] {
      parts.values.sorted { (($1.tokens ?? 0), $0.name ?? "") < (($0.tokens ?? 0), $1.name ?? "") }
    }
    return RunSummary.Dataset(
      documents: Double(dataset.documentCount), tokens: Double(dataset.tokenCount), bytes: Double(dataset.byteCount),
      bytesPerToken: Double(dataset.byteCount) / Double(max(1, dataset.tokenCount)), windows: Double(dataset.windowCount),
      fingerprint: dataset.fingerprint, bySource: ordered(sources), byDomain: ordered(labels))
  }
}

/// The machine that a run is on.
enum Machine {
  /// Processor, cores, memory, system.
  static var summary: RunSummary.Machine {
    let text = (try? Files.read("/proc/cpuinfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let name = text.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    return RunSummary.Machine(
      processor: name, cores: ProcessInfo.processInfo.activeProcessorCount, memoryBytes: Double(ProcessInfo.processInfo.physicalMemory),
      system: ProcessInfo.processInfo.operatingSystemVersionString)
  }
}
