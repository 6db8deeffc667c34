import Artifacts
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Test func anAssignmentIsReadAsWritten() throws {
  try withTemporaryFolder { folder in
    let path = DatasetFolder(folder).assignment(tree: "out/tree")
    let written = try ClusterAssignment(dataset: "d", tree: "t", leafCount: 4, leaves: [1, 1, 3]).write(to: path, tool: "test")
    #expect(path == folder + "/clusters/tree")
    #expect(try ClusterAssignment.open(path) == written)
    #expect(try DatasetFolder(folder).folders(.clusters) == [path])
    #expect(written.index.lists == [[], [0, 1], [], [2]])
    #expect(throws: WeirError.self) { try written.check(dataset: "other", windows: 3) }
    #expect(throws: WeirError.self) { try WindowScores.open(path) }
  }
}

@Test func scoresAreReadAsWrittenAndDamageIsFound() throws {
  try withTemporaryFolder { folder in
    let path = DatasetFolder(folder).scores("dsir")
    let scores = WindowScores(dataset: "d", method: "dsir", values: [1.5, -.infinity, 0])
    try scores.write(to: path, tool: "test")
    #expect(try WindowScores.open(path) == scores)
    var bytes = try Files.read(path + "/" + WindowScores.fileName)
    bytes[bytes.count - 1] ^= 1
    try Files.write(bytes, to: path + "/" + WindowScores.fileName)
    #expect(throws: WeirError.self) { try WindowScores.open(path) }
  }
}

@Test func aMixtureIsReadAsWritten() throws {
  try withTemporaryFolder { folder in
    func mixture(_ weights: [Double]) -> Mixture {
      Mixture(
        method: "crisp", dataset: "d", tree: "t", assignment: "a", seedData: "s", depth: 1, smoothing: 0, maxEpochs: nil, runTokens: 100,
        moved: 0, effectiveSampleSize: 2,
        clusters: weights.enumerated().map {
          Mixture.Cluster(leaf: $0, general: 0.5, seed: $1, weight: $1, windows: 1, tokens: 10, epochs: 10 * $1)
        })
    }
    let path = folder + "/mixture.json"
    try mixture([0.25, 0.75]).write(to: path)
    #expect(try Mixture.open(path) == mixture([0.25, 0.75]))
    #expect(try Mixture.open(path).fingerprint() == mixture([0.25, 0.75]).fingerprint())
    try mixture([0.25, 0.5]).write(to: path)
    #expect(errorMessage { _ = try Mixture.open(path) }.contains("its weights sum to 0.75, not to 1"))
    var other = mixture([1])
    other.format = "weir.mixture.2"
    try other.write(to: path)
    #expect(errorMessage { _ = try Mixture.open(path) }.contains("weir.mixture.2"))
  }
}

@Test func aNumPyArrayHasTheWidthAndCountOfItsHeader() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/a.npy"
    try Files.write(NumPyArray.header(bytes: 2, shape: [3]) + [1, 0, 2, 0, 0, 1], to: path)
    let array = try NumPyArray.open(path)
    #expect(array.width == 2 && array.count == 3)
    #expect(try MappedFile(path).integers(at: array.headerBytes, width: array.width, count: array.count) == [1, 2, 256])
    try Files.write(NumPyArray.header(bytes: 2, shape: [4]) + [1, 0, 2, 0, 0, 1], to: path)
    #expect(throws: WeirError.self) { try NumPyArray.open(path) }
  }
}

/// Mixtures of one name in different folders have different folders inside the dataset.
@Test func aDatasetFolderNamesTheFoldersOfMixtures() {
  let dataset = DatasetFolder("/data/set")
  #expect(dataset.entry(.selections, mixture: "/data/a/mix.json") == "/data/set/selections/a+mix")
  #expect(dataset.entry(.seeds, mixture: "/data/mix.json") == "/data/set/seeds/mix")
  let long = dataset.entry(.seeds, mixture: "/data/" + String(repeating: "x", count: 300) + ".json")
  #expect(long.hasPrefix("/data/set/seeds/mixture-"))
  #expect(dataset.shard(12).index == "/data/set/shard-00012.idx")
  #expect(dataset.tokenizerFile == "/data/set/tokenizer/tokenizer.json")
}
