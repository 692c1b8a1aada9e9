// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of object types are complete: nothing is saved that cannot be
 * restored, and every record leads to one type.
 */
#include <kunit/test.h>

#include "../file/event.h"

static const struct ckpt_obj_ops *const *const tables[] = {
	ckpt_process_objs, ckpt_thread_objs,
};

typedef void object_check(struct kunit *test, const struct ckpt_obj_ops *ops);

static bool in_a_table(const struct ckpt_obj_ops *ops)
{
	const struct ckpt_obj_ops *const *p;
	int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (p = tables[i]; *p; p++)
			if (*p == ops)
				return true;
	return false;
}

/* Objects that have a tag are in no table, but each is found by its record. */
static void each_object(struct kunit *test, object_check *check)
{
	const struct ckpt_obj_ops *const *p;
	const struct ckpt_obj_ops *ops;
	u32 type;
	int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (p = tables[i]; *p; p++)
			check(test, *p);
	for (type = 1; type < CKPT_REC_NR; type++) {
		ops = ckpt_find_ops(type);
		if (ops && !in_a_table(ops))
			check(test, ops);
	}
}

static void expect_named(struct kunit *test, const struct ckpt_obj_ops *ops)
{
	KUNIT_ASSERT_NOT_NULL(test, ops->name);
	KUNIT_EXPECT_STRNEQ(test, ops->name, "");
}

static void objects_named(struct kunit *test)
{
	each_object(test, expect_named);
}

static void expect_known_record(struct kunit *test, const struct ckpt_obj_ops *ops)
{
	KUNIT_EXPECT_STRNEQ_MSG(test, ckpt_rec_name(ops->rec), "unknown", "%s", ops->name);
	/* Found, it is the type itself: no other has the same record. */
	KUNIT_EXPECT_PTR_EQ_MSG(test, ckpt_find_ops(ops->rec), ops, "%s", ops->name);
}

static void objects_have_a_record(struct kunit *test)
{
	each_object(test, expect_known_record);
}

static void expect_restore(struct kunit *test, const struct ckpt_obj_ops *ops)
{
	KUNIT_EXPECT_NOT_NULL_MSG(test, ops->restore, "%s", ops->name);
}

static void objects_can_be_restored(struct kunit *test)
{
	each_object(test, expect_restore);
}

static void objects_can_be_saved(struct kunit *test)
{
	const struct ckpt_obj_ops *const *ops;
	int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (ops = tables[i]; *ops; ops++)
			KUNIT_EXPECT_NOT_NULL_MSG(test, (*ops)->save, "%s", (*ops)->name);
}

/* Records that are parts or content of an object. */
static bool is_part(const struct ckpt_obj_ops *ops)
{
	static const struct ckpt_obj_ops *const parts[] = {
		&ckpt_shmem_data_ops, &ckpt_locks_ops, &ckpt_file_state_ops,
		&ckpt_memory_ops, &ckpt_unix_ops, &ckpt_unix_msg_ops, &ckpt_inet_ops,
		&ckpt_io_registered_ops, &ckpt_io_buffers_ops,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i] == ops)
			return true;
	return false;
}

/*
 * What is named by a tag is held by the tag, which drops it in the end: what
 * processes can share, and all that is in no table but parts of something.
 */
static void expect_put(struct kunit *test, const struct ckpt_obj_ops *ops)
{
	bool has_tag = in_a_table(ops) ? ops->share : !is_part(ops);

	KUNIT_EXPECT_EQ_MSG(test, !!ops->put, has_tag, "%s", ops->name);
}

static void objects_can_be_dropped(struct kunit *test)
{
	each_object(test, expect_put);
}

/* A file is found by its record only. */
static void objects_that_have_a_tag(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, ckpt_find_ops(CKPT_REC_FILE), &ckpt_file_ops);
	KUNIT_EXPECT_FALSE(test, in_a_table(&ckpt_file_ops));
}

/* Records that belong to an object, or to none, start none. */
static void objects_of_other_records(struct kunit *test)
{
	static const u32 types[] = {
		0, CKPT_REC_HEADER, CKPT_REC_TREE, CKPT_REC_NAMESPACES, CKPT_REC_ID_MAPS,
		CKPT_REC_PIDS, CKPT_REC_CGROUP, CKPT_REC_VMAS, CKPT_REC_PAGES,
		CKPT_REC_SHARED_PAGES, CKPT_REC_SUMS, CKPT_REC_MM_END, CKPT_REC_THREAD_END,
		CKPT_REC_PROCESS_END, CKPT_REC_INDEX, CKPT_REC_TRAILER, CKPT_REC_NR,
		U32_MAX,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		KUNIT_EXPECT_NULL_MSG(test, ckpt_find_ops(types[i]), "record %u", types[i]);
}

/* A process comes before what its threads share, and both before a thread. */
static void objects_order(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_process_objs[0]->rec, CKPT_REC_PROCESS);
	KUNIT_EXPECT_EQ(test, ckpt_thread_objs[0]->rec, CKPT_REC_THREAD);
}

static struct kunit_case objects_cases[] = {
	KUNIT_CASE(objects_named),
	KUNIT_CASE(objects_have_a_record),
	KUNIT_CASE(objects_can_be_restored),
	KUNIT_CASE(objects_can_be_saved),
	KUNIT_CASE(objects_can_be_dropped),
	KUNIT_CASE(objects_that_have_a_tag),
	KUNIT_CASE(objects_of_other_records),
	KUNIT_CASE(objects_order),
	{}
};

static struct kunit_suite objects_suite = {
	.name = "checkpoint-objects",
	.test_cases = objects_cases,
};

kunit_test_suite(objects_suite);

MODULE_LICENSE("GPL");
