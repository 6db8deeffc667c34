import Artifacts
import Documents
import Foundation
import Primitives
import Reporting
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct ProvenanceTests {
  @Test func seedsAndParentsAreThoseOfTheSteps() throws {
    try withTemporaryFolder { folder in
      var run = try SampleRun(folder)
      run.add("elsewhere", report: NSNull(), seed: 11, initial: "/other/base")
      let summary = try RunSummary(run: run.write(), version: "1.2.3")
      #expect(
        summary.provenance.randomSeeds == [
          "base": 7, "continue-uniform": 8, "continue-seed": 8, "continue-crisp": 8, "split": 9, "elsewhere": 11,
        ])
      #expect(summary.provenance.fingerprints["\(folder)/base/model"] == "b1")
      let parents = Dictionary(uniqueKeysWithValues: summary.training.map { ($0.name, $0.parent) })
      #expect(parents["base"] == .some(nil))
      for name in ["continue-uniform", "continue-seed", "continue-crisp", "direct", "anneal"] {
        #expect(parents[name] == "base", "\(name)")
      }
      let page = Report.html(summary)
      #expect(page.contains("continuations, "))
      let json = String(decoding: try summary.encoded(), as: UTF8.self)
      #expect(json.contains("\"parent\" : \"base\"") && json.contains("\"elsewhere\" : 11"))
    }
  }

  @Test func statesWithoutSeedsAndModelsAreRead() throws {
    try withTemporaryFolder { folder in
      var run = try SampleRun(folder)
      for name in ["base", "continue-uniform", "continue-seed", "continue-crisp", "split", "direct", "anneal", "anneal-2"] {
        run.forget(name)
      }
      let summary = try RunSummary(run: run.write(), version: "1.2.3")
      #expect(summary.provenance.randomSeeds.isEmpty && summary.training.count == 7 && summary.training.allSatisfy { $0.parent == nil })
      try expectWellFormed(Report.html(summary))
    }
  }

  /// Documents of 7, 3, 5 and 9 tokens with their end-of-document tokens, of astronomy, poetry, astronomy and law; the first two in one
  /// cluster, the others in another. The weights of the clusters are ¾ and ¼.
  private func domainShare(_ folder: String, seedDomain: String?, changeSeed: Bool = false) throws -> DomainShare? {
    let writer = try TokenDatasetWriter(
      folder + "/set", tokenizer: "0123456789abcdef", tokenizerFile: Array(smallTokenizer.utf8), vocabulary: 300, endOfDocument: 2)
    let lengths = [6, 2, 4, 8]
    try writer.append(
      lengths.enumerated().map { index, length in
        let domain = index == 3 ? "law" : index == 1 ? "poetry" : "astronomy"
        return TokenDocument(
          id: "d\(index)", source: "web", members: Array("\"metadata\": {\"domain\": \"\(domain)\"}".utf8), bytes: length,
          tokens: [UInt32](repeating: 5, count: length))
      })
    _ = try writer.commit(tool: "test")
    let dataset = try TokenDataset(folder + "/set")
    let assignment = try ClusterAssignment(dataset: dataset.fingerprint, tree: "tree", leafCount: 2, leaves: [0, 0, 1, 1])
      .write(to: folder + "/set/clusters/tree", tool: "test")
    let metadata = seedDomain.map { ", \"metadata\": {\"domain\": \"\($0)\"}" } ?? ""
    let seed = folder + "/seed.jsonl"
    try Files.write(Array("{\"id\": \"s\", \"text\": \"stars\"\(metadata)}\n".utf8), to: seed)
    var mixture = Mixture(
      method: "crisp", dataset: dataset.fingerprint, tree: "tree", assignment: assignment.fingerprint, seedData: "seed", depth: 1,
      smoothing: 0, maxEpochs: nil, runTokens: 10, moved: 0, effectiveSampleSize: 1,
      clusters: [
        Mixture.Cluster(leaf: 0, general: 10.0 / 24, seed: 0.75, weight: 0.75, windows: 2, tokens: 10, epochs: 0.75),
        Mixture.Cluster(leaf: 1, general: 14.0 / 24, seed: 0.25, weight: 0.25, windows: 2, tokens: 14, epochs: 2.5 / 14),
      ])
    mixture.seeds = [
      Mixture.Seed(name: seed, fingerprint: try Checksum.hex(file: seed), weight: 1, documents: 1, windows: 1, tokens: 2)
    ]
    if changeSeed { try Files.write(Array("{\"text\": \"moons\"\(metadata)}\n".utf8), to: seed) }
    try mixture.write(to: folder + "/crisp.json")
    let run = try SampleRun(folder + "/run")
    try run.write(summary: ["data": ["dataset": folder + "/set", "mixture": folder + "/crisp.json"], "crisp": ["crisp": "continue-crisp"]])
    let summary = try RunSummary(run: folder + "/run", version: "1")
    let json = String(decoding: try summary.encoded(), as: UTF8.self)
    #expect(json.contains("domain_share_in_draw") == (summary.domainShare != nil))
    return summary.domainShare
  }

  @Test func theShareOfTheSpecialistSeedsDomainIsThatOfTheTokens() throws {
    try withTemporaryFolder { folder in
      let share = try #require(try domainShare(folder, seedDomain: "astronomy"))
      #expect(share.domain == "astronomy")
      // 7 + 5 of 24 tokens in the corpus, 7 of 10 in the first cluster, 5 of 14 in the second.
      #expect(share.corpus == 0.5)
      #expect(abs(share.mixture - (0.75 * 7 / 10 + 0.25 * 5 / 14)) < 1e-12)
    }
  }

  @Test func withoutLabelsThereIsNoShare() throws {
    for (domain, changesSeed) in [(nil, false), ("botany", false), ("astronomy", true)] {
      let share = try withTemporaryFolder { try domainShare($0, seedDomain: domain, changeSeed: changesSeed) }
      #expect(share == nil, "\(domain ?? "none")")
    }
  }
}
