import CKernels
import Kernels

/// Sums of the losses of a batch over its targets.
package struct LossSums: Sendable, Equatable {
  /// Σ −ln p(target).
  package var crossEntropy = 0.0
  /// Σ KL divergence from the frozen model, in nats; 0 without one.
  package var divergence = 0.0
  /// The same from the whole distribution of the frozen model, in the steps that measure the error of stored predictions; otherwise 0.
  package var wholeDivergence = 0.0
  /// Σ ln² of the partition function; 0 without z-loss.
  package var squares = 0.0
  /// Positions with a target.
  package var targets = 0

  /// Mean cross-entropy, in nats/token.
  package var mean: Double { targets == 0 ? 0 : crossEntropy / Double(targets) }

  static func += (sums: inout LossSums, other: LossSums) {
    sums.crossEntropy += other.crossEntropy
    sums.divergence += other.divergence
    sums.wholeDivergence += other.wholeDivergence
    sums.squares += other.squares
    sums.targets += other.targets
  }
}

extension Transformer {
  /// Stored predictions of the frozen model: k tokens and their log-probabilities at each place, and the place of each position.
  struct StoredPredictions {
    let k: Int
    let ids: UnsafePointer<Int32>
    let logs: UnsafePointer<Float>
    let places: [Int64]
  }

  /// Computes the loss of the last forward pass, and with `gradient` the gradients of the output matrix and the hidden states.
  ///
  /// Logits exist for one group of tokens at a time; their gradient overwrites them. With an adapter, the output matrix has no gradient.
  /// - Parameters:
  ///   - targets: [rows · sequence] the token to predict at each position, −1 for none.
  ///   - gradient: whether to prepare for `backward`; the gradients are those of the mean over the targets.
  ///   - annealing: the term of label annealing.
  ///   - frozen: the frozen model for `annealing`, with the same vocabulary and batch shape, after `forward` on the same batch.
  ///   - total: the number of targets to average over, if this is a micro-batch; by default those of this batch.
  ///   - zLoss: weight of ln² of the partition function (Chowdhery et al. 2204.02311 §5); not with annealing.
  ///   - weighted: whether the cross-entropy's gradient is multiplied by each target's probability (DFT); the sums are not.
  package func loss(
    targets: [Int32], gradient: Bool, annealing: Annealing? = nil, frozen: Transformer? = nil, of total: Int? = nil, zLoss: Double = 0,
    weighted: Bool = false
  ) -> LossSums {
    loss(
      targets: targets, gradient: gradient, annealing: annealing, frozen: frozen, stored: nil, of: total, zLoss: zLoss, weighted: weighted)
  }

  /// The same, with `stored` instead of a frozen model.
  func loss(
    targets: [Int32], gradient: Bool, annealing: Annealing?, frozen: Transformer?, stored: StoredPredictions?, of total: Int?,
    zLoss: Double, weighted: Bool
  ) -> LossSums {
    let c = configuration, work = workspace, width = c.width, vocabulary = c.vocabulary
    precondition(targets.count == work.tokens, "the targets and the batch have different shapes")
    precondition(!gradient || work.training, "the model was created without training")
    precondition((annealing == nil) == (frozen == nil && stored == nil), "annealing needs both its term and a frozen model")
    precondition(annealing == nil || zLoss == 0, "z-loss cannot be combined with annealing")
    if let frozen {
      precondition(
        frozen.configuration.vocabulary == vocabulary && frozen.workspace.lossGroup == work.lossGroup,
        "the frozen model has another vocabulary or batch shape")
    }
    var sums = LossSums()
    for target in targets where target >= 0 { sums.targets += 1 }
    let share: Float = gradient ? 1 / Float(max(1, total ?? sums.targets)) : 0
    let studentT = annealing.map { $0.side == .teacher ? 1 : $0.temperature } ?? 1
    let teacherT = annealing.map { $0.side == .student ? 1 : $0.temperature } ?? 1
    let head = parameter(layout.head)

    targets.withUnsafeBufferPointer { targets in
      var group = 0
      while group < work.tokens {
        let size = min(work.lossGroup, work.tokens - group), first = group
        pool.ranges(size, grain: work.lossRows) { range in
          let token = first + range.lowerBound, logits = work.logits + range.lowerBound * vocabulary
          linear(work.hidden + token * width, head, logits, m: range.count, from: width, to: vocabulary)
          if let annealing, let stored {
            stored.places.withUnsafeBufferPointer { places in
              weir_cross_entropy_cached(
                logits, places.baseAddress! + token, stored.ids, stored.logs, stored.k, range.count, vocabulary,
                targets.baseAddress! + token, work.losses + token, work.divergences + token, share, Float(annealing.lambda),
                Float(studentT), annealing.direction == .forward ? 1 : 0, weighted ? 1 : 0)
            }
          } else if let annealing, let frozen {
            let scratch = frozen.workspace.logits + range.lowerBound * vocabulary, from = frozen.configuration.width
            frozen.linear(
              frozen.workspace.hidden + token * from, frozen.parameter(frozen.layout.head), scratch, m: range.count, from: from,
              to: vocabulary)
            weir_cross_entropy_annealed(
              logits, scratch, range.count, vocabulary, targets.baseAddress! + token, work.losses + token, work.divergences + token, share,
              Float(annealing.lambda), Float(studentT), Float(teacherT), annealing.direction == .forward ? 1 : 0, weighted ? 1 : 0)
          } else {
            weir_cross_entropy(
              logits, range.count, vocabulary, targets.baseAddress! + token, work.losses + token, share, Float(zLoss),
              zLoss > 0 ? work.divergences + token : nil, weighted ? 1 : 0)
          }
          if gradient { linearInput(logits, head, work.dHidden + token * width, m: range.count, from: width, to: vocabulary) }
        }
        if gradient, adapter == nil { headGradient(group: group, size: size) }
        group += size
      }
    }
    for t in 0..<work.tokens { sums.crossEntropy += Double(work.losses[t]) }
    if annealing != nil { for t in 0..<work.tokens { sums.divergence += Double(work.divergences[t]) } }
    if zLoss > 0 { for t in 0..<work.tokens { sums.squares += Double(work.divergences[t]) } }
    return sums
  }

  /// dHead [vocabulary, width] (+)= logitsᵀ · hidden for one group of tokens, parallel over the vocabulary.
  private func headGradient(group: Int, size: Int) {
    let c = configuration, work = workspace
    let grain = max(64, min(512, (c.vocabulary + 15) / 16))
    pool.ranges(c.vocabulary, grain: grain) { range in
      precision.product(
        1, 0, m: range.count, n: c.width, k: size, work.logits + range.lowerBound, c.vocabulary, work.hidden + group * c.width, c.width,
        gradient(layout.head) + range.lowerBound * c.width, c.width, add: group > 0)
    }
  }
}
