// SPDX-License-Identifier: GPL-2.0-only
/*
 * A consumer of the reader: order of records, page data and its sums.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include "walk.h"
#include "../../../checkpoint/limits.h"

#define CHUNK_BYTES	(CKPT_CHUNK_PAGES * PAGE_SIZE)

/* Where in the image a walk is: which record may come next. */
struct place {
	bool tree, process, mm, thread, memory;
	u64 nr_sums;
	u64 sums[CKPT_MAX_RECORD_PAGES / CKPT_CHUNK_PAGES];
};

static u8 chunk[CHUNK_BYTES];

static int read_memory(struct ckpt_source *src, void *buf, size_t len)
{
	struct memory_source *m = container_of(src, struct memory_source, src);

	if (++m->reads == m->fail_nth)
		return -EIO;
	if (len > m->len - m->pos)
		return -EBADMSG;
	memcpy(buf, m->data + m->pos, len);
	m->pos += len;
	shim_memory.input += len;
	return 0;
}

void walk_start(struct walk *walk, const void *data, size_t len)
{
	memset(walk, 0, sizeof(*walk));
	walk->source.src.read = read_memory;
	walk->source.data = data;
	walk->source.len = len;
	walk->reader.src = &walk->source.src;
}

static int damaged(struct walk *walk, const char *why)
{
	walk->reader.why = why;
	return -EBADMSG;
}

static void digest(struct walk *walk, const void *p, size_t len)
{
	walk->digest = xxh64(p, len, walk->digest);
}

static int read_data(struct walk *walk, void *buf, size_t len)
{
	struct ckpt_reader *r = &walk->reader;
	int ret = r->src->read(r->src, buf, len);

	if (ret) {
		r->why = "the image ends too early";
		return ret;
	}
	r->offset += len;
	digest(walk, buf, len);
	return 0;
}

static int walk_pages(struct walk *walk, struct place *place, struct ckpt_rec *rec)
{
	struct ckpt_rec_extent *extent = ckpt_rec_data(rec);
	u64 i, left = 0;
	size_t len;
	int ret;

	for (i = 0; i < ckpt_rec_count(rec); i++)
		left += extent[i].nr_pages;
	walk->reader.nr_pages += left;
	ret = ckpt_read_padding(&walk->reader);
	for (left *= PAGE_SIZE; !ret && left; left -= len) {
		len = min_t(u64, left, CHUNK_BYTES);
		ret = read_data(walk, chunk, len);
		if (!ret)
			place->sums[place->nr_sums++] = xxh64(chunk, len, 0);
	}
	return ret;
}

static int walk_sums(struct walk *walk, struct place *place, struct ckpt_rec *rec)
{
	if (!place->nr_sums || ckpt_rec_count(rec) != place->nr_sums ||
	    memcmp(ckpt_rec_data(rec), place->sums, place->nr_sums * sizeof(u64)))
		return damaged(walk, "page data is damaged");
	place->nr_sums = 0;
	return 0;
}

/* Opens or closes a bracket that may stand only where @outer is open. */
static int bracket(struct walk *walk, bool *inner, bool open, bool outer)
{
	if (!outer || *inner == open)
		return damaged(walk, "a record is in the wrong place");
	*inner = open;
	return 0;
}

static int walk_record(struct walk *walk, struct place *p, struct ckpt_rec *rec)
{
	bool of_memory = p->memory;

	p->memory = false;
	if (p->nr_sums && rec->type != CKPT_REC_SUMS)
		return damaged(walk, "page data has no sums");
	switch (rec->type) {
	case CKPT_REC_HEADER:
		return walk->reader.nr_records == 1 ? 0 : damaged(walk, "two headers");
	case CKPT_REC_TREE:
		return bracket(walk, &p->tree, true, true);
	case CKPT_REC_PROCESS:
	case CKPT_REC_PROCESS_END:
		return bracket(walk, &p->process, rec->type == CKPT_REC_PROCESS,
			       p->tree && !p->mm && !p->thread);
	case CKPT_REC_MM:
	case CKPT_REC_MM_END:
		return bracket(walk, &p->mm, rec->type == CKPT_REC_MM, p->process);
	case CKPT_REC_THREAD:
	case CKPT_REC_THREAD_END:
		return bracket(walk, &p->thread, rec->type == CKPT_REC_THREAD, p->process);
	case CKPT_REC_MEMORY:
		p->memory = true;
		return p->tree ? 0 : damaged(walk, "memory of nothing");
	case CKPT_REC_PAGES:
		return p->mm || of_memory ? walk_pages(walk, p, rec) :
					    damaged(walk, "pages of nothing");
	case CKPT_REC_SUMS:
		return walk_sums(walk, p, rec);
	case CKPT_REC_TRAILER:
		return p->tree && !p->process ? 0 : damaged(walk, "the trailer comes early");
	}
	return 0;
}

/**
 * walk_image - read an image up to its trailer
 * @walk: from walk_start()
 *
 * Return: 0, or the negative errno that refuses the image.
 */
int walk_image(struct walk *walk)
{
	struct place place = {};
	struct ckpt_rec *rec;
	bool last = false;
	int ret = 0;

	while (!ret && !last) {
		/* Each record's memory is measured by its own bytes. */
		shim_memory.input = 0;
		ret = ckpt_read_record(&walk->reader, &rec);
		if (ret)
			break;
		digest(walk, rec, offsetof(struct ckpt_rec, sum));
		digest(walk, ckpt_rec_data(rec), rec->length);
		if (walk->on_record)
			walk->on_record(walk, rec);
		last = rec->type == CKPT_REC_TRAILER;
		ret = walk_record(walk, &place, rec);
		ckpt_free_record(rec);
	}
	return ret;
}

/* The same for who only wants to know whether the image is accepted. */
int walk_bytes(const void *data, size_t len)
{
	struct walk walk;

	walk_start(&walk, data, len);
	return walk_image(&walk);
}
