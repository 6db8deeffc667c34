import Embedding
import Foundation
import Kernels
import Primitives
import Storage
import Synchronization
import TestSupport
import Testing
import Tokens

/// A random sparse matrix of low rank and some noise, and its dense double.
private func sample(rows: Int, columns: Int, rank: Int, seed: UInt64) -> (SparseMatrix, [Double]) {
  var random = SequentialRandom(seed: seed, stream: 1)
  let left = (0..<rows * rank).map { _ in random.uniform() - 0.5 }
  let right = (0..<rank * columns).map { _ in random.uniform() < 0.3 ? random.uniform() : 0 }
  var dense = [Double](repeating: 0, count: rows * columns)
  var offsets = [0]
  var indices: [UInt32] = []
  var values: [Float] = []
  for row in 0..<rows {
    for column in 0..<columns {
      var sum = 0.0
      for k in 0..<rank { sum += left[row * rank + k] * right[k * columns + column] * Double(rank - k) }
      if random.uniform() < 0.1 { sum += 0.01 * (random.uniform() - 0.5) }
      guard Float(sum) != 0 else { continue }
      dense[row * columns + column] = Double(Float(sum))
      indices.append(UInt32(column))
      values.append(Float(sum))
    }
    offsets.append(indices.count)
  }
  return (SparseMatrix(rows: rows, columns: columns, offsets: offsets, indices: indices, values: values), dense)
}

/// Eigenvectors of AᵀA by cyclic Jacobi rotations: slow, simple, and another method than the one under test.
private func jacobi(_ dense: [Double], rows: Int, columns n: Int) -> (values: [Double], vectors: [[Double]]) {
  var a = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for j in 0..<n { a[i * n + j] = (0..<rows).reduce(0.0) { $0 + dense[$1 * n + i] * dense[$1 * n + j] } }
  }
  var v = [Double](repeating: 0, count: n * n)
  for i in 0..<n { v[i * n + i] = 1 }
  for _ in 0..<30 {
    var (on, off) = (0.0, 0.0)
    for i in 0..<n {
      for j in 0..<n {
        if i == j { on += a[i * n + j] * a[i * n + j] } else { off += a[i * n + j] * a[i * n + j] }
      }
    }
    if off < 1e-24 * on { break }
    for p in 0..<n {
      for q in p + 1..<max(n, p + 1) where a[p * n + q].magnitude > 1e-300 {
        let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        let t = (theta >= 0 ? 1.0 : -1.0) / (theta.magnitude + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for k in 0..<n {
          let (x, y) = (a[k * n + p], a[k * n + q])
          (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y)
        }
        for k in 0..<n {
          let (x, y) = (a[p * n + k], a[q * n + k])
          (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y)
          let (u, w) = (v[k * n + p], v[k * n + q])
          (v[k * n + p], v[k * n + q]) = (c * u - s * w, s * u + c * w)
        }
      }
    }
  }
  let order = (0..<n).sorted { a[$0 * n + $0] > a[$1 * n + $1] }
  return (order.map { a[$0 * n + $0] }, order.map { column in (0..<n).map { v[$0 * n + column] } })
}

@Test(arguments: [(64, false), (64, true), (1 << 16, false), (1 << 16, true)], 1...3)
func featuresAreCountedInOrderOfTheirBuckets(shape: (buckets: Int, bigrams: Bool), seed: UInt64) {
  var random = SequentialRandom(seed: seed)
  let features = TokenFeatures(buckets: shape.buckets, bigrams: shape.bigrams)
  let shift = UInt64(64 - shape.buckets.trailingZeroBitCount)
  func bucket(_ key: UInt64) -> UInt32 { UInt32(CounterRandom.mix(key &+ 0x9E37_79B9_7F4A_7C15) >> shift) }
  var counter = features.counter
  for length in [0, 1, 2, 300, 1_024, 5] {
    let tokens = (0..<length).map { _ in Int32.random(in: 0..<[3, 400, 50_000][Int.random(in: 0..<3, using: &random)], using: &random) }
    var expected = Dictionary(grouping: tokens.map { bucket(UInt64($0)) }, by: { $0 }).mapValues(\.count)
    if shape.bigrams {
      for (one, other) in zip(tokens, tokens.dropFirst()) { expected[bucket((UInt64(one) + 1) << 32 | UInt64(other)), default: 0] += 1 }
    }
    let count = features.count(tokens, counter: &counter)
    #expect(Array(counter.buckets.prefix(count)) == expected.keys.sorted())
    #expect(counter.counts.prefix(count).map(Int.init) == expected.sorted { $0.key < $1.key }.map(\.value))
  }
}

@Suite struct TruncatedSVDTests {
  /// Shapes of one block that holds everything, and of several. Single precision tells squares to some 1e-6 of the largest.
  @Test(arguments: [(60, 30, 5), (90, 70, 8), (2_500, 40, 4)], 1...3) func agreesWithJacobi(shape: (Int, Int, Int), seed: UInt64) throws {
    let (rows, columns, rank) = shape
    let (matrix, dense) = sample(rows: rows, columns: columns, rank: rank, seed: seed)
    let svd = try TruncatedSVD(matrix, rank: rank, randomSeed: seed, pool: ThreadPool(threads: 2))
    let alone = try TruncatedSVD(matrix, rank: rank, randomSeed: seed, pool: ThreadPool(threads: 1))
    #expect(svd.vectors == alone.vectors && svd.singularValues == alone.singularValues)
    let (values, vectors) = jacobi(dense, rows: rows, columns: columns)
    for k in 0..<rank { #expect((svd.singularValues[k] * svd.singularValues[k] - values[k]).magnitude < 1e-5 * values[0]) }
    // Subspace angle: the projection of each reference vector on the subspace has length 1.
    for k in 0..<rank {
      var length = 0.0
      for j in 0..<rank {
        let dot = (0..<columns).reduce(0.0) { $0 + vectors[k][$1] * Double(svd.vectors[$1 * rank + j]) }
        length += dot * dot
      }
      #expect((length - 1).magnitude < 2e-4)
    }
    // Orthonormal columns.
    for i in 0..<rank {
      for j in 0..<rank {
        let dot = (0..<columns).reduce(0.0) { $0 + Double(svd.vectors[$1 * rank + i]) * Double(svd.vectors[$1 * rank + j]) }
        #expect((dot - (i == j ? 1 : 0)).magnitude < 1e-4)
      }
    }
  }

  @Test(arguments: 1...4) func emptyColumnsMayBeLeftOut(seed: UInt64) throws {
    let (dense, _) = sample(rows: 60, columns: 30, rank: 5, seed: seed)
    let kept = (0..<30).map { 3 * $0 + 1 }
    let wide = SparseMatrix(
      rows: 60, columns: 100, offsets: dense.offsets, indices: dense.indices.map { 3 * $0 + 1 }, values: dense.values)
    let pool = ThreadPool(threads: 2)
    let whole = try TruncatedSVD(wide, rank: 4, randomSeed: seed, pool: pool)
    let part = try TruncatedSVD(dense, rank: 4, randomSeed: seed, names: kept, pool: pool)
    for k in 0..<4 { #expect((part.singularValues[k] / whole.singularValues[k] - 1).magnitude < 2e-4) }
    for (row, column) in kept.enumerated() {
      for k in 0..<4 { #expect((part.vectors[row * 4 + k] - whole.vectors[column * 4 + k]).magnitude < 2e-3) }
    }
  }

  @Test func moreDirectionsThanTheMatrixHasAreZero() throws {
    let matrix = SparseMatrix(rows: 3, columns: 4, offsets: [0, 1, 2, 2], indices: [1, 3], values: [2, 5])
    let svd = try TruncatedSVD(matrix, rank: 4, randomSeed: 1, pool: ThreadPool(threads: 1))
    #expect((svd.singularValues[0] - 5).magnitude < 1e-5 && (svd.singularValues[1] - 2).magnitude < 1e-5)
    #expect(svd.singularValues[2] == 0 && svd.singularValues[3] == 0)
    #expect(svd.vectors.allSatisfy { $0.isFinite })
    #expect((svd.vectors[3 * 4] - 1).magnitude < 1e-5)
    #expect((0..<4).allSatisfy { svd.vectors[$0 * 4 + 2] == 0 && svd.vectors[$0 * 4 + 3] == 0 })
  }

  /// A spectrum without a gap, which a space of 160 directions does not exhaust: what is kept is within a per mille of the best.
  @Test(arguments: 1...2) func keepsNearlyAllThatCanBeKept(seed: UInt64) throws {
    var random = SequentialRandom(seed: seed, stream: 7)
    let (rows, columns, rank) = (300, 200, 20)
    var dense = [Double](repeating: 0, count: rows * columns), offsets = [0], indices: [UInt32] = [], values: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns where random.uniform() < 0.2 {
        let value = Float(random.uniform() / Double(1 + column).squareRoot())
        dense[row * columns + column] = Double(value)
        indices.append(UInt32(column))
        values.append(value)
      }
      offsets.append(indices.count)
    }
    let matrix = SparseMatrix(rows: rows, columns: columns, offsets: offsets, indices: indices, values: values)
    let svd = try TruncatedSVD(matrix, rank: rank, randomSeed: seed, pool: ThreadPool(threads: 2))
    let best = jacobi(dense, rows: rows, columns: columns).values.prefix(rank).reduce(0, +)
    let kept = svd.singularValues.reduce(0.0) { $0 + $1 * $1 }
    #expect(kept > 0.999 * best && kept < (1 + 1e-5) * best)
    var image = 0.0
    for row in 0..<rows {
      for k in 0..<rank {
        let dot = (0..<columns).reduce(0.0) { $0 + dense[row * columns + $1] * Double(svd.vectors[$1 * rank + k]) }
        image += dot * dot
      }
    }
    // Values are those of a subspace, so never too large: the vectors hold no less.
    #expect(image > kept * (1 - 1e-5))
  }

  @Test(arguments: [20, 20_000]) func theGramProductIsThatOfTheDenseMatrix(rows: Int) {
    let width = GramOperator.width
    let (matrix, dense) = sample(rows: rows, columns: 13, rank: 2, seed: 9)
    let right = (0..<13 * width).map { Float(($0 * 7919) % 101) / 50 - 1 }
    let operation = GramOperator(matrix, pool: ThreadPool(threads: 2))
    let (one, other) = (FloatBuffer(13 * width), FloatBuffer(13 * width))
    operation.multiply(right, into: one.base, pool: ThreadPool(threads: 1))
    operation.multiply(right, into: other.base, pool: ThreadPool(threads: 3))
    #expect(one.values == other.values)
    var gram = [Double](repeating: 0, count: 13 * 13)
    for row in 0..<rows {
      for i in 0..<13 { for j in 0..<13 { gram[i * 13 + j] += dense[row * 13 + i] * dense[row * 13 + j] } }
    }
    let scale = gram.map(\.magnitude).max() ?? 1
    for i in 0..<13 {
      for k in 0..<width {
        let expected = (0..<13).reduce(0.0) { $0 + gram[i * 13 + $1] * Double(right[$1 * width + k]) }
        #expect((Double(one.base[i * width + k]) - expected).magnitude < 1e-5 * scale)
      }
    }
  }
}

/// Windows of two topics with words of their own and words in common.
private func corpus(_ count: Int, seed: UInt64) -> [[Int32]] {
  var random = SequentialRandom(seed: seed, stream: 2)
  return (0..<count).map { window in
    (0..<120).map { _ in
      let own = random.uniform() < 0.5
      return own ? Int32(1_000 * (1 + window % 2)) + Int32.random(in: 0..<60, using: &random) : Int32.random(in: 0..<50, using: &random)
    }
  }
}

private func configuration() -> LSIEmbedder.Configuration {
  var configuration = LSIEmbedder.Configuration()
  configuration.dimensions = 8
  configuration.buckets = 1_024
  return configuration
}

@Suite struct LSIEmbedderTests {
  @Test func topicsAreFarApart() throws {
    let windows = corpus(80, seed: 3)
    let pool = ThreadPool(threads: 2)
    let embedder = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: configuration(), pool: pool)
    let vectors = try embedder.embed(windows, pool: pool)
    func dot(_ a: Int, _ b: Int) -> Float { (0..<8).reduce(0) { $0 + vectors[a * 8 + $1] * vectors[b * 8 + $1] } }
    for window in 0..<80 { #expect((dot(window, window) - 1).magnitude < 1e-5) }
    for window in 0..<80 {
      let own = (0..<80).filter { $0 != window && $0 % 2 == window % 2 }.reduce(Float(0)) { $0 + dot(window, $1) } / 39
      let other = (0..<80).filter { $0 % 2 != window % 2 }.reduce(Float(0)) { $0 + dot(window, $1) } / 40
      #expect(own > other + 0.1)
    }
  }

  @Test func theSameBytesWhateverTheThreads() throws {
    let windows = corpus(700, seed: 4)
    var results: [[Float]] = []
    var prints: Set<String> = []
    for threads in 1...3 {
      let pool = ThreadPool(threads: threads)
      let embedder = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: configuration(), pool: pool)
      prints.insert(embedder.fingerprint)
      results.append(try embedder.embed(windows, pool: pool))
    }
    #expect(prints.count == 1)
    #expect(results[0] == results[1] && results[1] == results[2])
  }

  @Test func aVectorDependsOnItsWindowAlone() throws {
    let windows = corpus(300, seed: 5)
    let pool = ThreadPool(threads: 2)
    let embedder = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: configuration(), pool: pool)
    let all = try embedder.embed(windows, pool: pool)
    for window in [0, 77, 299] { #expect(try embedder.embed([windows[window]], pool: pool) == Array(all[window * 8..<window * 8 + 8])) }
  }

  /// A source that cannot be read a second time shows whether it was; any other, or a loaded embedder, reads its own tokens.
  @Test(arguments: 1...3) func windowsOfTheFitAreNotCountedAgain(seed: UInt64) throws {
    let windows = corpus(200, seed: seed), reads = Mutex(0), pool = ThreadPool(threads: 2)
    func reader(_ source: String?) -> WindowReader {
      WindowReader(count: windows.count, source: source) { index in
        reads.withLock { $0 += 1 }
        return windows[index]
      }
    }
    let embedder = try LSIEmbedder.fit(reader("a"), tokenizer: "t", configuration: configuration(), pool: pool)
    let expected = try embedder.embed(windows, pool: pool), width = embedder.dimensions
    reads.withLock { $0 = 0 }
    for range in [0..<200, 0..<1, 63..<130, 199..<200, 5..<5] {
      let found = try embedder.embed(range, of: reader("a"), pool: pool)
      #expect(found == Array(expected[range.lowerBound * width..<range.upperBound * width]))
    }
    #expect(reads.withLock { $0 } == 0)
    #expect(try embedder.embed(60..<70, of: reader("b"), pool: pool) == Array(expected[60 * width..<70 * width]))
    #expect(try embedder.embed(0..<10, of: reader(nil), pool: pool) == Array(expected[..<(10 * width)]))
    #expect(reads.withLock { $0 } == 20)
    var part = configuration()
    part.sample = 100
    let sampled = try LSIEmbedder.fit(reader("a"), tokenizer: "t", configuration: part, pool: pool)
    reads.withLock { $0 = 0 }
    #expect(try sampled.embed(0..<200, of: reader("a"), pool: pool) == sampled.embed(windows, pool: pool))
    #expect(reads.withLock { $0 } == 200)
  }

  @Test func aWindowWithoutFeaturesIsZero() throws {
    let windows = corpus(60, seed: 6)
    let pool = ThreadPool(threads: 1)
    let embedder = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: configuration(), pool: pool)
    #expect(try embedder.embed([[]], pool: pool) == [Float](repeating: 0, count: 8))
    #expect(throws: WeirError.self) {
      try LSIEmbedder.fit(WindowReader([[], []]), tokenizer: "t", configuration: configuration(), pool: pool)
    }
    #expect(throws: WeirError.self) { try LSIEmbedder.fit(WindowReader([]), tokenizer: "t", configuration: configuration(), pool: pool) }
    var odd = configuration()
    odd.buckets = 1_000
    #expect(throws: WeirError.self) { try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: odd, pool: pool) }
  }

  @Test func aSampleIsSeeded() throws {
    let windows = corpus(200, seed: 7)
    let pool = ThreadPool(threads: 1)
    var sampled = configuration()
    sampled.sample = 50
    let first = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: sampled, pool: pool)
    let again = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: sampled, pool: pool)
    sampled.randomSeed = 2
    let other = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: sampled, pool: pool)
    #expect(first.fingerprint == again.fingerprint && first.fingerprint != other.fingerprint)
  }

  @Test func itSurvivesTheDiskAndRefusesOtherTokenizers() throws {
    let folder = temporaryPath()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let windows = corpus(60, seed: 8)
    let pool = ThreadPool(threads: 1)
    let embedder = try LSIEmbedder.fit(WindowReader(windows), tokenizer: "t", configuration: configuration(), pool: pool)
    try embedder.save(to: folder + "/embedder")
    for place in [folder, folder + "/embedder"] {
      let loaded = try LSIEmbedder(folder: place)
      #expect(loaded.fingerprint == embedder.fingerprint && loaded.configuration == embedder.configuration)
      #expect(try loaded.embed(windows, pool: pool) == embedder.embed(windows, pool: pool))
      try loaded.check(tokenizer: "t", place: "data")
      #expect(throws: WeirError.self) { try loaded.check(tokenizer: "u", place: "data") }
    }
    // What an earlier version fitted, which told how in two more members, is read as it was written.
    var earlier = embedder.configuration
    (earlier.iterations, earlier.oversampling) = (4, 32)
    let old = try LSIEmbedder(
      configuration: earlier, tokenizer: "t", idf: embedder.idf, projection: embedder.projection, singularValues: embedder.singularValues)
    #expect(old.fingerprint != embedder.fingerprint)
    try old.save(to: folder + "/old")
    #expect(try LSIEmbedder(folder: folder + "/old").fingerprint == old.fingerprint)
    // One flipped bit of the model is found.
    let model = folder + "/embedder/model.safetensors"
    var bytes = try Files.read(model)
    bytes[bytes.count - 5_000] ^= 1
    try Files.write(bytes, to: model)
    #expect(throws: WeirError.self) { try LSIEmbedder(folder: folder) }
    #expect(throws: WeirError.self) { try LSIEmbedder(folder: folder + "/nowhere") }
  }

  @Test func documentsAreCutAsDatasetsAre() {
    #expect(Window.split([]).isEmpty)
    #expect(Window.split([UInt32](0..<2_050)).map(\.count) == [1_024, 1_024, 2])
  }
}
