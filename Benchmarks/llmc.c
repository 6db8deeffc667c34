// Measures training steps of llm.c's GPT-2 on the CPU: cc -Ofast -march=native -fopenmp -DOMP -DTESTING -I LLMC -o llmc llmc.c -lm
// usage: llmc CHECKPOINT WIDTH LAYERS HEADS VOCABULARY CONTEXT BATCH STEPS; prints seconds per step.
#include "train_gpt2.c"

int main(int count, char **words) {
  if (count != 9) return 64;
  int width = atoi(words[2]), layers = atoi(words[3]), heads = atoi(words[4]), vocabulary = atoi(words[5]);
  int context = atoi(words[6]), batch = atoi(words[7]), steps = atoi(words[8]);
  GPT2Config config = {context, vocabulary, vocabulary, layers, heads, width};
  size_t sizes[NUM_PARAMETER_TENSORS], parameters = 0;
  fill_in_parameter_sizes(sizes, config);
  for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) parameters += sizes[i];
  int header[256] = {20240326, 3, context, vocabulary, layers, heads, width, vocabulary};
  FILE *file = fopenCheck(words[1], "wb");
  fwrite(header, sizeof(int), 256, file);
  unsigned state = 1;
  for (size_t i = 0; i < parameters; i++) {
    state = state * 1664525u + 1013904223u;
    float weight = ((float)(state >> 8) / (1 << 24) - 0.5f) * 0.07f;
    fwrite(&weight, sizeof weight, 1, file);
  }
  fcloseCheck(file);

  GPT2 model;
  gpt2_build_from_checkpoint(&model, words[1]);
  size_t tokens = (size_t)batch * context;
  int *inputs = malloc(tokens * sizeof(int)), *targets = malloc(tokens * sizeof(int));
  for (size_t i = 0; i < tokens; i++) {
    state = state * 1664525u + 1013904223u;
    inputs[i] = (int)((state >> 8) % (unsigned)vocabulary);
    if (i > 0) targets[i - 1] = inputs[i];
  }
  targets[tokens - 1] = 0;
  for (int step = 1; step <= steps; step++) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    gpt2_forward(&model, inputs, targets, batch, context);
    gpt2_zero_grad(&model);
    gpt2_backward(&model);
    gpt2_update(&model, 3e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, step);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("step %f\n", (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec));
    fflush(stdout);
  }
  return 0;
}
